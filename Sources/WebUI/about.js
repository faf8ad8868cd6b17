// SPDX-License-Identifier: MIT
// What runs here and how it fares, and the doctor who looks for what is wrong.
import { facts, warnings } from "./box.js";
import { action, api, every, fill, get, h, number, t, told } from "./core.js";
import { copyButton } from "./files.js";
import { terms } from "./list.js";

/** Draws the page. */
export async function mount(root, { signal }) {
  const [status, config] = await Promise.all(
    [get("/status", {}, { signal }), get("/config", {}, { signal })]);
  const box = h("div", { id: "box" });
  const draw = (now) => fill(box, warnings(now), terms([
    ...facts(now).map(([name, ...value]) => [name, value]),
    [t("Folder of the data"), h("code", {}, now.data_dir)]]));
  draw(status);
  fill(root, drawDoctor(signal), h("div.cards.wide", {}, card(t("State of the device"), box),
    h("div.stack", {}, card(t("Version"), drawVersion(status)),
      card(t("Documents"), drawDocuments())),
    h("div.stack", {}, card(t("HTTPS for clients"), drawCertificate(config, status)),
      card(t("Figures for Prometheus"), drawMetrics(config)))));
  every(10_000, async () => draw(await get("/status", {}, { signal })), signal);
}

const card = (title, ...content) =>
  h("section.card", { "aria-label": title }, h("h2", {}, title), content);

// The doctor

/** The findings, asked for with a button: it takes up to 20 seconds. */
function drawDoctor(signal) {
  const area = h("div", { "aria-live": "polite" });
  const colours = { ok: "good", warning: "warn", error: "bad" };
  const levels = { ok: t("well"), warning: t("warning"), error: t("error") };
  const finding = ({ id, level, message, advice }) => h("li", { "data-finding": id },
    h("span.badge." + colours[level], {}, levels[level]), " ", told(message),
    advice && h("p.faint", {}, told(advice)));
  const check = action(t("Check now"), async () => {
    fill(area, h("p.faint", {}, t("Looking; this takes up to 20 seconds…")));
    try {
      const { status, findings } = await api("GET", "/doctor", undefined, { signal });
      const rank = ({ level }) => ["error", "warning", "ok"].indexOf(level);
      fill(area, h("p." + colours[status], {}, status === "ok" ? t("All is well.")
        : t("Look at {0} of {1} findings.",
          number(findings.filter(({ level }) => level !== "ok").length), number(findings.length))),
      h("ul.findings", {}, findings.sort((a, b) => rank(a) - rank(b)).map(finding)));
    } catch (error) {
      fill(area);
      throw error;
    }
  }, { class: "primary", id: "check" });
  return h("section.card", { "aria-label": t("Doctor") }, h("div.beside", {},
    h("h2", {}, t("Doctor")), check),
  h("p", {}, t("Looks at disk, clock, names, memory and the way to each channel; costs nothing.")),
  area);
}

// What is told once

const drawVersion = (now) => terms([
  ["TinyGateway", now.version],
  [t("Built for"), now.target + ", " + now.swift],
  ["SQLite", now.sqlite],
  ["Mbed TLS", now.mbedtls],
  [t("Board"), now.board ?? t("no board file")],
  [t("Licence"), t("MIT: free to use, change and pass on")],
]);

/** The value of a setting of config.yaml. */
const setting = (config, key) => config.items.find((item) => item.key === key) ?? {};

/** Where clients find HTTPS, and the certificate that they have to trust. */
function drawCertificate(config, now) {
  const port = setting(config, "tls_port").value;
  if (!port || port === "0") {
    return h("p", {}, t("HTTPS is off. With tls_port in config.yaml it is on after a restart."));
  }
  const own = setting(config, "tls_certificate").value;
  const address = `https://${location.hostname}:${port}`;
  return [
    h("div.beside", {}, h("code", {}, address), copyButton(address)),
    terms([[t("Certificate"), h("code", {}, own || now.data_dir + "/tls-certificate.pem")]]),
    h("p", {}, own ? t("It is your own.")
      : t("The gateway made it itself. Copy this file to clients and let them trust it.")),
  ];
}

/** The address for Prometheus, and who may read it. */
function drawMetrics(config) {
  const address = location.origin + "/metrics";
  const addresses = setting(config, "metrics_addresses").value;
  const hasToken = setting(config, "metrics_token").is_set;
  return [
    h("div.beside", {}, h("code", {}, address), copyButton(address)),
    h("p", {}, hasToken && t("With the metrics_token of config.yaml."), " ",
      addresses && t("Without one from {0}.", addresses), " ",
      !hasToken && !addresses &&
        t("Prometheus may read it with metrics_token or metrics_addresses in config.yaml.")),
  ];
}

const drawDocuments = () => h("ul.bare", {},
  [["/docs/API.md", t("Management API, for people")],
    ["/openapi.json", t("Management API, for programs (OpenAPI)")]]
    .map(([href, label]) => h("li", {}, h("a", { href, target: "_blank", rel: "noopener" },
      label))));
