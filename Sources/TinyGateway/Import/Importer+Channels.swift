// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store
import Vendors

/// Channels, with their types translated.
extension Importer {
  private static let keyByteLimit = 4096
  private static let largestKeyCount = 100
  private static let largestModelCount = 1000
  private static let weights: ClosedRange<Int64> = 1...1000
  private static let priorities: ClosedRange<Int64> = -1_000_000...1_000_000
  private static let fullURLType: Int64 = 8
  private static let callEnding: StaticString = "/chat/completions"

  /// Columns whose contents have no counterpart here.
  private static let lostColumns: [StaticString] = [
    "system_prompt", "config", "other", "setting", "settings", "param_override", "header_override",
    "status_code_mapping", "openai_organization",
  ]

  func readChannels() throws(StoreError) {
    try ForeignTable.channels(in: source) { row in addChannel(row) }
  }

  private func addChannel(_ row: ForeignRow) {
    let id = row.integer("id") ?? 0
    let name = Importer.name(row.text("name"), "channel", id)
    guard !target.channelNames.contains(name) else {
      report.keep(.channel)
      return report.note(.channel, id, name, "exists here already: the channel stays as it is")
    }
    let number = row.integer("type") ?? 0
    guard let type = ForeignChannelType.find(number, of: product), type.service != .none else {
      let known = ForeignChannelType.find(number, of: product)
      return report.leave(
        .channel, id, name, "its type ",
        ByteString(number: number) + " (" + (known?.name ?? "unknown") + ")",
        " is not spoken here")
    }
    guard let (slug, address) = address(row, number, type, id, name) else { return }
    var record = ChannelRecord(
      name: name, type: slug, baseURL: address, createdAt: time(row.integer("created_time")))
    guard applyKeys(row, id, &record) else { return }
    applyModels(row, id, &record)
    applyMapping(row, id, &record)
    applyGroups(row, id, &record)
    applyOrder(row, id, &record)
    noteLosses(row, id, name)
    plan.channels.append(record)
    report.carry(.channel)
  }

  // The address.

  /// Type and address here; nil when there is none, which is reported.
  private func address(
    _ row: ForeignRow, _ number: Int64, _ type: ForeignChannelType, _ id: Int64, _ name: ByteString
  ) -> (slug: ByteString, baseURL: ByteString)? {
    var given = row.text("base_url").trimmed
    while given.bytes.last == UInt8(ascii: "/") { given = ByteString(given.bytes.dropLast()) }
    if product == .newAPI, number == Importer.fullURLType {
      guard let base = Importer.withoutCall(given) else {
        report.leave(
          .channel, id, name, "its full address does not end with /v1/chat/completions")
        return nil
      }
      given = base
    }
    if !given.isEmpty, URL(given) == nil {
      report.leave(.channel, id, name, "its address is no http or https URL")
      return nil
    }
    switch type.service {
    case .none: return nil
    case .own(let slug):
      guard !given.isEmpty || slug != "azure" else {
        report.leave(.channel, id, name, "it has no address")
        return nil
      }
      // One API's address of Replicate is that of a call.
      return (slug, given.starts(with: "https://api.replicate.com/") ? .empty : given)
    case .compatible:
      let base = Importer.joined(given, type.baseURL)
      if base.isEmpty {
        report.leave(.channel, id, name, "it has no address")
        return nil
      }
      return ("openai-compatible", base)
    }
  }

  private static func withoutCall(_ address: ByteString) -> ByteString? {
    let ending = ByteString(callEnding).bytes
    guard address.bytes.suffix(ending.count).elementsEqual(ending) else { return nil }
    let base = ByteString(Array(address.bytes.dropLast(ending.count)))
    return isVersioned(base) ? base : nil
  }

  /// The owner's address, with the path that the other program puts behind it where that is not
  /// `/v1`; the vendor's own without one.
  private static func joined(_ given: ByteString, _ standard: ByteString) -> ByteString {
    if given.isEmpty { return standard }
    guard isVersioned(standard), !isVersioned(given), let path = URL(standard)?.path else {
      return given
    }
    return given + path
  }

  /// Whether the address ends with `/v1` or such; `Vendor.path` puts `/v1` behind others.
  private static func isVersioned(_ address: ByteString) -> Bool {
    guard let slash = address.bytes.lastIndex(of: UInt8(ascii: "/")) else { return false }
    let segment = address.bytes[(slash + 1)...]
    return segment.count >= 2 && segment.first == UInt8(ascii: "v")
      && ASCII.isDigit(segment[segment.startIndex + 1])
  }

  // Keys.

  /// Takes the keys over that are on; false when none is left although one is needed.
  private func applyKeys(_ row: ForeignRow, _ id: Int64, _ record: inout ChannelRecord) -> Bool {
    let lines = row.text("key").list(separatedBy: 0x0A)
    let off = product == .newAPI ? Importer.switchedOffKeys(row.text("channel_info")) : []
    var keys: [ByteString] = []
    for (index, line) in lines.enumerated() {
      let key = ByteString(line.bytes.filter { $0 != 0x0D })
      guard key.count <= Importer.keyByteLimit, keys.count < Importer.largestKeyCount,
        !ChannelSecrets.isSealed(key), key.bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
      else {
        noteKey(
          index, id, record.name, ", which is no line of up to 4096 visible characters, or too many"
        )
        continue
      }
      if off.contains(Int64(index)) {
        noteKey(index, id, record.name, ", which was switched off there")
      } else {
        keys.append(key)
      }
    }
    record.keys = AdminText.joined(keys, by: 0x0A)
    guard keys.isEmpty, VendorRegistry.find(record.type)?.isKeyOptional != true else { return true }
    report.leave(.channel, id, record.name, "it has no key that can be used")
    return false
  }

  private func noteKey(_ index: Int, _ id: Int64, _ name: ByteString, _ why: StaticString) {
    report.note(
      .channel, id, name, "loses its key number ", ByteString(number: Int64(index + 1)), why)
  }

  /// Places of keys that New API has switched off one by one.
  private static func switchedOffKeys(_ info: ByteString) -> [Int64] {
    var places: [Int64] = []
    guard let root = try? JSONDocument(info, requiresObject: true).root,
      root.member("is_multi_key")?.bool == true,
      let list = root.member("multi_key_status_list")
    else { return places }
    for (place, status) in list.members where status.int64 != 1 {
      if let place = place.decimal { places.append(place) }
    }
    return places
  }

  // Models, groups, order.

  private func applyModels(_ row: ForeignRow, _ id: Int64, _ record: inout ChannelRecord) {
    let listed = row.text("models").list(separatedBy: UInt8(ascii: ","))
    let valid = Array(listed.filter(ModelName.isValid).prefix(Importer.largestModelCount))
    record.models = AdminText.joined(valid, by: UInt8(ascii: ","))
    if valid.isEmpty {
      record.status = .disabled
      report.note(
        .channel, id, record.name, "is disabled here: it lists no model that can be served")
    } else if valid.count < listed.count {
      report.note(
        .channel, id, record.name,
        "loses ", ByteString(number: Int64(listed.count - valid.count)),
        " of its models: names have 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + -")
    }
  }

  private func applyMapping(_ row: ForeignRow, _ id: Int64, _ record: inout ChannelRecord) {
    let text = row.text("model_mapping").trimmed
    if text.isEmpty || text == "null" { return }
    guard let root = try? JSONDocument(text, requiresObject: true).root else {
      return report.note(.channel, id, record.name, "loses its model mapping, which is no JSON")
    }
    let served = record.models.list(separatedBy: UInt8(ascii: ","))
    var lines: [ByteString] = []
    for (from, to) in root.members {
      guard let to = to.string, ModelName.isValid(from), ModelName.isValid(to) else {
        report.note(
          .channel, id, record.name,
          "loses the mapping of ", AdminText.quoted(from), ", which is not between model names")
        continue
      }
      // Here a mapped model is served; there it had to be listed as well.
      if served.contains(from), from != to { lines.append(from + "\t" + to) }
    }
    record.modelMapping = AdminText.joined(lines, by: 0x0A)
  }

  private func applyGroups(_ row: ForeignRow, _ id: Int64, _ record: inout ChannelRecord) {
    let listed = row.text("group").list(separatedBy: UInt8(ascii: ","))
    let valid = Array(listed.filter(GroupInput.isName).prefix(GroupInput.largestListCount))
    for name in valid { needChannelGroup(name) }
    if valid.isEmpty, !listed.isEmpty {
      record.status = .disabled
      report.note(.channel, id, record.name, "is disabled here: its groups have no valid names")
    }
    record.groups =
      valid.isEmpty
      ? ChannelGroupDirectory.standard : AdminText.joined(valid, by: UInt8(ascii: ","))
  }

  private func applyOrder(_ row: ForeignRow, _ id: Int64, _ record: inout ChannelRecord) {
    func clamped(_ value: Int64, _ range: ClosedRange<Int64>) -> Int64 {
      min(max(value, range.lowerBound), range.upperBound)
    }
    // 0 is the usual weight there and would be "never" here.
    record.weight = clamped(row.integer("weight") ?? 1, Importer.weights)
    record.priority = clamped(row.integer("priority") ?? 0, Importer.priorities)
    let status = row.integer("status")
    if status == ChannelStatus.autoDisabled.rawValue {
      report.note(
        .channel, id, record.name,
        "was switched off automatically there; here it is on, and judged anew by its answers")
    } else if status != ChannelStatus.enabled.rawValue {
      record.status = .disabled
    }
  }

  private func noteLosses(_ row: ForeignRow, _ id: Int64, _ name: ByteString) {
    let lost = Importer.lostColumns.filter { column in
      let text = row.text(column).trimmed
      return !text.isEmpty && text != "{}" && text != "null"
    }
    guard !lost.isEmpty else { return }
    let names = lost.map { ByteString($0) }
    report.note(
      .channel, id, name,
      "loses what is in ", AdminText.joined(names, by: UInt8(ascii: " ")),
      ": look whether it is needed")
  }
}
