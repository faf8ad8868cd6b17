// SPDX-License-Identifier: MIT
import Platform
import Store

/// Turns the rows of One API or New API into a plan, and notes what does not fit.
///
/// Whatever is in the file: restrictions (models, addresses, groups) never become wider by being
/// dropped; what would, is disabled and reported.
final class Importer {
  let source: Database
  let product: ForeignProduct
  let target: ImportTarget
  let report = ImportReport()
  let now: Int64
  var plan = ImportPlan()
  /// Ids in the source in ascending order, and what they are in the plan; who is missing is not
  /// taken over.
  private var owners: [(id: Int64, userID: Int64)] = []
  /// User groups as they will be.
  var userGroups: [ImportedUserGroup]
  /// User groups that may use further channel groups because tokens of theirs did.
  var widenedGroups: Set<ByteString> = []
  private var channelGroups: Set<ByteString>

  init(
    source: Database, product: ForeignProduct, target: ImportTarget, now: Int64
  ) {
    self.source = source
    self.product = product
    self.target = target
    self.now = now
    channelGroups = target.channelGroups
    userGroups = target.userGroups
  }

  /// Reads everything; throws what the source's file has.
  func read() throws(StoreError) {
    try readUsers()
    try readGroupRatios()
    try readTokens()
    try readChannels()
    try readPrices()
    try readSettings()
    try readRedemptions()
    finishGroups()
    addTasks()
  }

  /// Makes sure that there will be a channel group of the name.
  func needChannelGroup(_ name: ByteString) {
    guard channelGroups.insert(name).inserted else { return }
    plan.channelGroups.append(name)
    report.carry(.channelGroup)
  }

  /// Makes sure that there will be a user group of the name, by itself with the channel group of
  /// the same name: what a group's name says there.
  func needUserGroup(_ name: ByteString) {
    guard indexOfUserGroup(name) == nil else { return }
    needChannelGroup(name)
    userGroups.append(ImportedUserGroup(name: name, channelGroups: name))
  }

  /// Where a user group is in `userGroups`; those from before come first.
  func indexOfUserGroup(_ name: ByteString) -> Int? {
    userGroups.firstIndex { $0.name == name }
  }

  /// Notes what a user of the source is in the plan; users come by id.
  func setOwner(_ id: Int64, to userID: Int64) { owners.append((id, userID)) }

  /// What a user of the source is in the plan; nil for one that is not taken over.
  func owner(_ id: Int64?) -> Int64? {
    guard let id else { return nil }
    var range = 0..<owners.count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if owners[middle].id == id { return owners[middle].userID }
      range =
        owners[middle].id < id ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }

  /// Plans the user groups that are new or other than they were.
  private func finishGroups() {
    for (index, group) in userGroups.enumerated() {
      if index < target.userGroups.count {
        let old = target.userGroups[index]
        if old.channelGroups == group.channelGroups, old.ratio == group.ratio {
          report.keep(.userGroup)
          continue
        }
      }
      plan.userGroups.append(group)
      report.carry(.userGroup)
    }
  }

  private func addTasks() {
    let passwords = report.carried(.user)
    if passwords > 0 {
      report.task(
        "Passwords cannot be taken over (they are stored as bcrypt hashes there), so the ",
        ByteString(number: passwords),
        """
         new accounts cannot log in until each has one: stop the gateway and run "tinygateway \
        passwd NAME", or let root set it; their keys work at once
        """)
    }
    report.task(
      """
      Request logs, statistics, e-mail addresses, logins by other services, invitations and \
      access tokens of the management API are not taken over
      """)
    report.task("Start the gateway, test each channel, and keep the old database until all is well")
  }

  // Texts.

  /// A name that may be stored, else one that is made of its kind and id.
  static func name(_ text: ByteString, _ kind: ByteString, _ id: Int64) -> ByteString {
    let trimmed = text.trimmed
    guard !trimmed.isEmpty, trimmed.count <= 128, !AdminText.hasControls(trimmed) else {
      return kind + " " + ByteString(number: id)
    }
    return trimmed
  }

  /// A time of creation or use; the import's own where none is known.
  func time(_ seconds: Int64?) -> Int64 {
    guard let seconds, TokenInput.times.contains(seconds) else { return now }
    return seconds
  }

  /// What remains and what was used, as a whole and what is used of it, and whether either was
  /// larger than a quota can be.
  static func quota(
    remaining: Int64, used: Int64
  ) -> (quota: Int64, used: Int64, isCut: Bool) {
    let cutUsed = min(max(used, 0), Micro.largestQuota)
    let cutRemaining = min(max(remaining, -Micro.largestQuota), Micro.largestQuota)
    let total = max(cutRemaining + cutUsed, 0)
    let isCut = total > Micro.largestQuota || used > Micro.largestQuota
    return (min(total, Micro.largestQuota), cutUsed, isCut)
  }

  /// Says that a quota became smaller.
  func noteLargestQuota(_ kind: ImportReport.Kind, _ id: Int64, _ name: ByteString) {
    report.note(
      kind, id, name, "has the largest quota that there is, ",
      ByteString(number: Micro.largestQuota),
      " units, since what it used and what it may still use are more together")
  }
}
