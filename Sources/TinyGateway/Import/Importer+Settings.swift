// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Run-time settings and redemption codes.
extension Importer {
  private static let codeByteCounts = 8...64

  /// Options that are taken over, here or elsewhere.
  private static let used: [StaticString] = [
    "ModelRatio", "CompletionRatio", "GroupRatio", "CacheRatio", "ModelPrice", "QuotaPerUnit",
    "QuotaForNewUser", "RegisterEnabled",
  ]

  // Settings.

  func readSettings() throws(StoreError) {
    guard try hasOptions() else { return }
    try noteOtherOptions()
    let text = Buffer()
    var json = JSONWriter(text)
    json.beginObject()
    var count = 0
    if let value = try number("QuotaPerUnit", OptionInput.quotasPerUnit) {
      json.member("quota_per_unit", value)
      count += 1
    }
    if let value = try number("QuotaForNewUser", 0...Micro.largestQuota) {
      json.member("new_user_quota", value)
      count += 1
    }
    if let isOpen = try registration() {
      json.member("registration", isOpen)
      count += 1
    }
    json.endObject()
    guard count > 0 else { return }
    if target.hasSettings {
      for _ in 0..<count { report.keep(.setting) }
      return
    }
    for _ in 0..<count { report.carry(.setting) }
    plan.settings = text.byteString
  }

  private func number(
    _ option: StaticString, _ range: ClosedRange<Int64>
  ) throws(StoreError) -> Int64? {
    guard let text = try ForeignTable.option(option, in: source)?.trimmed, !text.isEmpty else {
      return nil
    }
    let value = text.withBytes { JSONNumber.int64($0) }
    guard let value, range.contains(value) else {
      report.leave(.setting, nil, ByteString(option), "it is no whole number that is allowed here")
      return nil
    }
    return value
  }

  /// Whether strangers may register; a door that e-mail guarded is not opened without it.
  private func registration() throws(StoreError) -> Bool? {
    guard let text = try ForeignTable.option("RegisterEnabled", in: source) else { return nil }
    guard text == "true" else { return false }
    for guardName in [
      "EmailVerificationEnabled", "TurnstileCheckEnabled", "EmailDomainRestrictionEnabled",
    ] as [StaticString] {
      guard try ForeignTable.option(guardName, in: source) == "true" else { continue }
      report.note(
        .setting, nil, "RegisterEnabled",
        "is off here: registration was guarded by ", ByteString(guardName),
        ", which does not exist here")
      return false
    }
    return true
  }

  private func noteOtherOptions() throws(StoreError) {
    let others = try ForeignTable.optionNames(in: source).filter { name in
      !name.isEmpty && !Importer.used.contains { name == $0 }
    }
    guard !others.isEmpty else { return }
    report.task(
      "Options without a counterpart here are not taken over: ",
      AdminText.joined(others.map { AdminText.quoted($0) }, by: UInt8(ascii: " ")))
  }

  // Redemption codes.

  func readRedemptions() throws(StoreError) {
    guard try ForeignTable.exists("redemptions", in: source) else { return }
    var hashes = target.redemptionHashes
    try ForeignTable.redemptions(in: source) { row in addRedemption(row, &hashes) }
  }

  private func addRedemption(_ row: ForeignRow, _ hashes: inout Set<ByteString>) {
    let id = row.integer("id") ?? 0
    let name = Importer.name(row.text("name"), "code", id)
    guard !row.has("deleted_at") else {
      return report.leave(.redemption, id, name, "it was deleted there")
    }
    let code = row.text("key").trimmed
    guard Importer.codeByteCounts.contains(code.count),
      code.bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      return report.leave(.redemption, id, name, "its code is not 8 to 64 visible characters")
    }
    guard let quota = row.integer("quota"), 1...Micro.largestQuota ~= quota else {
      return report.leave(.redemption, id, name, "its quota is not a number above 0")
    }
    guard let status = row.integer("status"), 1...3 ~= status else {
      return report.leave(.redemption, id, name, "its status is not known")
    }
    let hash = Digest.sha256(code).bytes
    guard hashes.insert(hash).inserted else { return report.keep(.redemption) }
    let isUsed = status == 3
    let expiry = row.integer("expired_time") ?? 0
    let record = ImportedRedemption(
      name: name, codeHash: hash, codeHint: AdminText.keyHint(.empty, code), quota: quota,
      expiresAt: expiry > 0 ? min(expiry, TokenInput.times.upperBound) : nil, status: status,
      usedAt: isUsed ? time(row.integer("redeemed_time")) : nil,
      createdAt: time(row.integer("created_time")))
    let user = isUsed ? owner(row.integer("used_user_id")) : nil
    plan.redemptions.append(ImportPlan.Redemption(record: record, userID: user))
    report.carry(.redemption)
  }
}
