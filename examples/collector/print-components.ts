/** The YAML of `components`. As with the real one, components that have a second name are missing from it. */
import { CATALOG, moduleText, type ComponentType, type Section } from "./catalog.js";
import { IDENTITY } from "./identity.js";

export function printComponents(): string {
  const head = `buildinfo:\n    command: ${IDENTITY.command}\n    description: '${IDENTITY.description}'\n    version: ${IDENTITY.version}\n`;
  return head + SECTIONS.map(printSection).join("") + PROVIDERS;
}

const SECTIONS: readonly Section[] = ["receivers", "processors", "exporters", "connectors", "extensions"];

function printSection(section: Section): string {
  const listed = CATALOG[section].filter((component) => component.alias === undefined);
  if (listed.length === 0) return `${section}: []\n`;
  return `${section}:\n${listed.map((component) => printComponent(component, section)).join("")}`;
}

function printComponent(component: ComponentType, section: Section): string {
  const { stability } = component;
  const levels =
    section === "extensions"
      ? `        extension: ${stability.extension ?? "Undefined"}\n`
      : (["logs", "metrics", "traces"] as const).map((signal) => `        ${signal}: ${stability[signal] ?? "Undefined"}\n`).join("");
  return `    - name: ${component.type}\n      module: ${moduleText(component)}\n      stability:\n${levels}`;
}

const PROVIDERS = `providers:
    - scheme: env
      module: stand-in for go.opentelemetry.io/collector/confmap/provider/envprovider v1.55.0
    - scheme: file
      module: stand-in for go.opentelemetry.io/collector/confmap/provider/fileprovider v1.55.0
    - scheme: yaml
      module: stand-in for go.opentelemetry.io/collector/confmap/provider/yamlprovider v1.55.0
`;
