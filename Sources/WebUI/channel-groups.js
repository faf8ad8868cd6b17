// SPDX-License-Identifier: MIT
// The channel groups: who is in them, what each member gets, and what comes after.
import { action, api, duration, fill, h, number, percent, t } from "./core.js";
import { choice } from "./fields.js";
import { openForm } from "./form.js";
import { deleteButton, editedNumber, getAll, table } from "./list.js";
import { knownModels, mountExplain, mountFallbacks } from "./routing.js";

/** Draws the page. */
export async function mount(root, { signal }) {
  const area = h("div", {});
  const page = { area, signal, draw: () => draw(page) };
  const fallbacks = h("section.routing", {});
  const explain = h("section.routing", {});
  root.append(h("div.bar", {}, action(t("New channel group"), async () => {
    if (await edit(null) !== undefined) await page.draw();
  }, { class: "primary", id: "create" })), area, fallbacks, explain);
  const models = await knownModels(signal);
  await Promise.all([page.draw(), mountFallbacks(fallbacks, signal, models),
    mountExplain(explain, signal, models)]);
}

const strategies = () => ({
  weighted_round_robin: [t("Weighted round robin"),
    t("Each channel gets exactly its share, as evenly as possible.")],
  weighted_random: [t("Weighted random"), t("Each channel gets its share on average, by chance.")],
  priority: [t("Heaviest first"),
    t("Always the channel with the largest weight; the others only when it cannot.")],
  least_latency: [t("Fastest first"), t("The channel whose first bytes came fastest lately.")],
  least_busy: [t("Least busy"), t("The channel with the fewest open requests for its weight.")],
});

async function draw(page) {
  const [groups, channels] = await Promise.all([
    getAll("/channel-groups", {}, { signal: page.signal }),
    getAll("/channels", {}, { signal: page.signal })]);
  const names = new Map(channels.map((channel) => [channel.id, channel.name]));
  page.cards = [];
  fill(page.area, groups.map((group) => card(group, names, page)));
}

/**
 * The share of each member that can be chosen first, in the members' order: null where the
 * strategy goes by something else or a member waits for the others to fail.
 */
function shares({ strategy, members }) {
  const able = members.filter(({ status, weight }) => status === "enabled" && weight > 0);
  const top = Math.max(...able.map((member) => member.priority));
  const first = able.filter((member) => member.priority === top);
  const heaviest = first.reduce((best, each) => !best || each.weight > best.weight ? each : best,
    null);
  const whole = first.reduce((sum, member) => sum + member.weight, 0);
  return members.map((member) => {
    if (strategy === "least_latency" || !first.includes(member)) return null;
    return strategy === "priority" ? Number(member === heaviest) : member.weight / whole;
  });
}

function card(group, names, page) {
  const [title, explanation] = strategies()[group.strategy];
  const share = h("div", {});
  const cells = new Map();
  const drawShares = () => {
    const parts = shares(group);
    fill(share, bar(group, parts));
    group.members.forEach((member, index) =>
      fill(cells.get(member.channel_id), standing(member, parts[index], group)));
  };
  const members = table(t("Members of {0}", group.name), [
    { label: t("Channel"), value: (member) => [h("span.dot.series-" +
      (group.members.indexOf(member) % 6 + 1), {}), member.name] },
    { label: t("Weight"), value: (member) => editedNumber(t("Weight of {0}", member.name),
      member.weight, { min: 0, max: 1000 }, async (weight) => {
        await api("PUT", "/channels/" + member.channel_id, { weight });
        page.cards.forEach((each) => each(member.channel_id, weight));
      }) },
    { label: t("Priority"), class: "end", value: (member) => number(member.priority) },
    { label: t("Share"), class: "end", value: (member) => {
      cells.set(member.channel_id, h("span", {}));
      return cells.get(member.channel_id);
    } },
  ], group.members);
  drawShares();
  // A channel has one weight, whatever the group in which it was changed.
  page.cards.push((id, weight) => {
    const index = group.members.findIndex((member) => member.channel_id === id);
    if (index < 0) return;
    group.members[index].weight = weight;
    members.querySelectorAll("input")[index].value = weight;
    drawShares();
  });
  return h("section.card.group", { "data-group": group.name },
    h("div.head", {}, h("h2", {}, group.name), action(t("Edit"), async () => {
      if (await edit(group) !== undefined) await page.draw();
    }, { class: "quiet" }), group.name !== "default" && deleteButton(group.name, async () => {
      await api("DELETE", "/channel-groups/" + group.id);
      await page.draw();
    })),
    h("p", {}, h("strong", {}, title), " – ", explanation, " ",
      group.sticky && t("A conversation stays on its channel.")),
    group.members.length ? [share, members] : h("p.empty", {}, t("No channel is in this group.")),
    h("p.faint", {}, after(group, names)));
}

/** What comes after the first channel has failed. */
function after(group, names) {
  const known = (value, text) => value === null ? t("as the settings say") : text(value);
  return [
    t("Further channels after a failure: {0}.", known(group.retries, number)), " ",
    t("Pause before each: {0}.", known(group.retry_interval_ms, duration)), " ",
    group.fallback_channels.length > 0 && t("Tried last: {0}.",
      group.fallback_channels.map((id) => names.get(id) ?? id).join(" → ")),
  ].filter(Boolean).join("");
}

function bar(group, parts) {
  if (!parts.some((part) => part > 0)) return null;
  const label = group.members.map((member, index) =>
    parts[index] > 0 && `${member.name} ${percent(parts[index])}`).filter(Boolean).join(", ");
  return h("div.share", { role: "img", "aria-label": label }, parts.map((part, index) => {
    const piece = h("span.series-" + (index % 6 + 1), {}, part >= 0.1 && percent(part));
    piece.style.width = part * 100 + "%";
    return part > 0 && piece;
  }));
}

/** A member's share in a word. */
function standing(member, part, group) {
  if (member.status === "disabled") return t("disabled");
  if (member.status !== "enabled") return t("off after failures");
  if (!member.weight) return t("none: weight 0");
  if (group.strategy === "least_latency") return t("by latency");
  return part ? percent(part) : t("in reserve");
}

/** Opens the form of a group; who is a member stands in the channels. */
async function edit(group) {
  const channels = await getAll("/channels");
  const choose = (label, isOrdered) => choice({ label, isOrdered,
    names: channels.map((channel) => channel.id),
    labels: new Map(channels.map((channel) => [channel.id, channel.name])) });
  const before = (group?.members ?? []).map((member) => member.channel_id);
  let id = group?.id;
  const save = async ({ members, ...values }) => {
    const saved = await (id ? api("PUT", "/channel-groups/" + id, values)
      : api("POST", "/channel-groups", values));
    id = saved.id;
    for (const channel of channels) {
      const isMember = members.includes(channel.id);
      if (isMember === channel.groups.includes(saved.name)) continue;
      const groups = isMember ? [...channel.groups, saved.name]
        : channel.groups.filter((name) => name !== saved.name);
      channel.groups = (await api("PUT", "/channels/" + channel.id, { groups })).groups;
    }
    return saved;
  };
  return openForm({
    title: group ? t("Edit {0}", group.name) : t("New channel group"),
    value: { strategy: "weighted_round_robin", ...group, members: before }, save,
    fields: [
      { name: "name", label: t("Name"), required: true, maxlength: 64,
        disabled: group?.name === "default" },
      { name: "members", label: t("Members"), type: choose(t("Members")),
        help: t("A channel has one weight in all its groups. Who is in no group goes to default.")
      },
      { name: "strategy", label: t("Strategy"), type: "select",
        options: Object.entries(strategies()).map(([key, [title]]) => [key, title]) },
      { name: "fallback_channels", label: t("Fallback channels"),
        type: choose(t("Fallback channels"), true),
        help: t("Tried last, in this order, whatever their groups.") },
      { name: "sticky", label: t("A conversation stays on its channel"), type: "checkbox",
        help: t("So that the vendor's cache of prompts is hit.") },
      { name: "retries", label: t("Further channels after a failure"), type: "number", min: 0,
        max: 10, help: t("Empty: as the settings say.") },
      { name: "retry_interval_ms", label: t("Pause before each (ms)"), type: "number", min: 0,
        max: 60000, help: t("Empty: as the settings say.") },
    ],
    ready({ strategy }) {
      const explain = () => {
        strategy.field.help = strategies()[strategy.input.value][1];
        strategy.fail();
      };
      strategy.input.addEventListener("change", explain);
      explain();
    },
  });
}
