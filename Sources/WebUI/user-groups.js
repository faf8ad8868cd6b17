// SPDX-License-Identifier: MIT
// Who may use which channel groups, and what they pay of a price.
import { action, api, t } from "./core.js";
import { choice } from "./fields.js";
import { openForm } from "./form.js";
import { deleteButton, drawList, getAll } from "./list.js";

/** Draws the page. */
export async function mount(root, { signal }) {
  const channelGroups = (await getAll("/channel-groups", {}, { signal })).map((each) => each.name);
  const edit = (group) => openForm({
    title: group ? t("Edit {0}", group.name) : t("New user group"),
    value: group ?? { channel_groups: ["default"], ratio: "1" },
    changesOnly: !!group,
    fields: [
      { name: "name", label: t("Name"), required: true, maxlength: 64 },
      { name: "channel_groups", label: t("Channel groups"),
        type: choice({ label: t("Channel groups"), names: channelGroups, isOrdered: true }),
        help: t("Tried in this order. None: its users may use no channel.") },
      { name: "ratio", label: t("Ratio"), inputmode: "decimal", required: true,
        help: t("What the group pays of a price: 0.5 is half, 0 nothing.") },
    ],
    save: (values) => group
      ? api("PUT", "/user-groups/" + group.id, values) : api("POST", "/user-groups", values),
  });
  const list = drawList(root, {
    signal, path: "/user-groups", caption: t("User groups"),
    create: [t("New user group"), () => edit()],
    columns: [
      { label: t("Name"), value: (group) => group.name },
      { label: t("Channel groups"), value: (group) =>
        group.channel_groups.join(" → ") || t("none") },
      { label: t("Ratio"), value: (group) => group.ratio, class: "end" },
    ],
    actions: (group, reload) => [
      action(t("Edit"), async () => { if (await edit(group)) await reload(); }, { class: "quiet" }),
      group.name !== "default" && deleteButton(group.name, async () => {
        await api("DELETE", "/user-groups/" + group.id);
        await reload();
      }),
    ],
  });
  await list.ready;
}
