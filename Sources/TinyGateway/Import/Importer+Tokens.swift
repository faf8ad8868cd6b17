// SPDX-License-Identifier: MIT
import Platform
import Store

/// Tokens: keys that clients go on using.
extension Importer {
  private static let largestListCount = 1000
  private static let largestBlockCount = 100
  private static let keyByteCounts = 1...128

  /// Status numbers of both products.
  private enum Status {
    static let enabled: Int64 = 1
    static let expired: Int64 = 3
    static let exhausted: Int64 = 4
  }

  func readTokens() throws(StoreError) {
    var hashes = target.tokenHashes
    try ForeignTable.tokens(in: source) { row in addToken(row, &hashes) }
    // A group that was widened must not widen what tokens without a group reach.
    if widenedGroups.isEmpty { return }
    for index in plan.tokens.indices where plan.tokens[index].channelGroup.isEmpty {
      let owner = account(of: plan.tokens[index].userID)
      // Only a group that lists its own name is ever widened.
      if owner.role == .user, widenedGroups.contains(owner.group) {
        plan.tokens[index].channelGroup = owner.group
      }
    }
  }

  private func addToken(_ row: ForeignRow, _ hashes: inout Set<ByteString>) {
    let id = row.integer("id") ?? 0
    let name = Importer.name(row.text("name"), "token", id)
    guard !row.has("deleted_at") else {
      return report.leave(.token, id, name, "it was deleted there")
    }
    let stored = row.text("key").trimmed
    guard Importer.keyByteCounts.contains(stored.count),
      stored.bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return report.leave(.token, id, name, "its key is not 1 to 128 visible characters") }
    // Stored without the prefix with which clients send it.
    let secret = stored.starts(with: "sk-") ? ByteString(Array(stored.bytes.dropFirst(3))) : stored
    let hash = Digest.sha256("sk-" + secret).bytes
    guard let owner = owner(row.integer("user_id")) else {
      return report.leave(.token, id, name, "its owner is not taken over")
    }
    guard hashes.insert(hash).inserted else { return report.keep(.token) }
    var record = TokenRecord(
      userID: owner, name: name, keyHash: hash, keyHint: AdminText.keyHint("sk-", secret),
      createdAt: time(row.integer("created_time")))
    if let accessed = row.integer("accessed_time"), TokenInput.times.contains(accessed) {
      record.accessedAt = accessed
    }
    applyLimits(row, id, &record)
    applyModels(row, id, &record)
    applyAddresses(row, id, &record)
    if product == .newAPI { applyGroup(row, id, &record) }
    plan.tokens.append(record)
    report.carry(.token)
  }

  /// Quota, expiry and status; expired and exhausted are no states here: time and quota say so.
  private func applyLimits(_ row: ForeignRow, _ id: Int64, _ record: inout TokenRecord) {
    let (quota, used, isCut) = Importer.quota(
      remaining: row.integer("remain_quota") ?? 0, used: row.integer("used_quota") ?? 0)
    record.usedMicro = Micro.ofUnits(used)
    record.quota = row.isTrue("unlimited_quota") ? nil : quota
    if isCut, record.quota != nil { noteLargestQuota(.token, id, record.name) }
    let expiry = row.integer("expired_time") ?? -1
    if expiry != -1 {
      record.expiresAt = min(max(expiry, TokenInput.times.lowerBound), TokenInput.times.upperBound)
    }
    switch row.integer("status") {
    case Status.enabled: break
    case Status.expired where record.expiresAt != nil: break
    case Status.exhausted where record.quota != nil: break
    default: record.status = .disabled
    }
  }

  private func applyModels(_ row: ForeignRow, _ id: Int64, _ record: inout TokenRecord) {
    let isLimited = product == .oneAPI || row.isTrue("model_limits_enabled")
    guard isLimited else { return }
    let listed = row.text(product == .oneAPI ? "models" : "model_limits")
      .list(separatedBy: UInt8(ascii: ","))
    if listed.isEmpty {
      // New API refuses every model then; an empty list here allows every one.
      guard product == .newAPI else { return }
      return close(&record, id, "lists no model at all")
    }
    let valid = Array(listed.filter(ModelName.isValid).prefix(Importer.largestListCount))
    if valid.isEmpty { return close(&record, id, "lists only models without a valid name") }
    if valid.count < listed.count {
      report.note(
        .token, id, record.name,
        "loses ", ByteString(number: Int64(listed.count - valid.count)),
        " of its models: names have 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + -")
    }
    record.models = AdminText.joined(valid, by: UInt8(ascii: ","))
  }

  private func applyAddresses(_ row: ForeignRow, _ id: Int64, _ record: inout TokenRecord) {
    let text = row.text(product == .oneAPI ? "subnet" : "allow_ips")
    let comma = UInt8(ascii: ",")
    let listed = ByteString(text.bytes.map { $0 == 0x0A || $0 == 0x0D ? comma : $0 })
      .list(separatedBy: comma)
    if listed.isEmpty { return }
    let valid = Array(
      listed.filter { AddressBlock($0) != nil }.prefix(Importer.largestBlockCount))
    if valid.isEmpty { return close(&record, id, "lists no valid address or block") }
    if valid.count < listed.count {
      report.note(
        .token, id, record.name,
        "loses ", ByteString(number: Int64(listed.count - valid.count)),
        " of its addresses, which are neither addresses nor blocks")
    }
    record.allowedIPs = AdminText.joined(valid, by: comma)
  }

  /// A restriction that cannot be expressed must not be lost.
  private func close(_ record: inout TokenRecord, _ id: Int64, _ why: StaticString) {
    record.status = .disabled
    report.note(.token, id, record.name, "is disabled here: it ", ByteString(why))
  }

  /// New API lets a token name another group than its owner's.
  private func applyGroup(
    _ row: ForeignRow, _ id: Int64, _ record: inout TokenRecord
  ) {
    let group = row.text("group").trimmed
    let account = account(of: record.userID)
    if group.isEmpty || group == account.group { return }
    if group == "auto" {
      return report.note(
        .token, id, record.name, "has the group auto: here the channel groups of its owner serve it"
      )
    }
    guard GroupInput.isName(group) else { return close(&record, id, "has a group without a name") }
    needChannelGroup(group)
    record.channelGroup = group
    guard account.role == .user, let index = indexOfUserGroup(account.group),
      !userGroups[index].channelGroups.list(separatedBy: UInt8(ascii: ",")).contains(group)
    else { return }
    guard mayWiden(account.group) else {
      return close(
        &record, id,
        """
        names a channel group that the user group of its owner does not list, and that user \
        group was here before
        """)
    }
    userGroups[index].channelGroups = userGroups[index].channelGroups + "," + group
    widenedGroups.insert(account.group)
    report.note(
      .userGroup, nil, account.group, "may also use the channel group ", AdminText.quoted(group),
      ", which tokens of its users name; its own ratio applies to them")
  }

  /// Whether a user group may get further channel groups: one that is new, or still as the gateway
  /// made it and without users, so that nobody who was here before reaches more than before.
  private func mayWiden(_ name: ByteString) -> Bool {
    guard let known = target.userGroups.first(where: { $0.name == name }) else { return true }
    return known.channelGroups == name
      && !target.accounts.contains { $0.group == name && $0.role == .user }
  }
}
