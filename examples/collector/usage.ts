/** The page of `--help`: its own words, not those of the real one. */
import { IDENTITY } from "./identity.js";

export const HELP = `${IDENTITY.description}

Usage:
  ${IDENTITY.command} [flags]
  ${IDENTITY.command} [command]

Commands:
  components    list the components
  featuregate   list the feature gates
  print-config  print the configuration with its defaults
  validate      check the configuration and exit

Flags:
      --config URI          a configuration source; may be repeated, later ones win
      --feature-gates LIST  gates to turn on, or off with a leading "-"
      --set KEY=VALUE       one value on top of all sources
  -h, --help
  -v, --version
`;
