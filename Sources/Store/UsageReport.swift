// SPDX-License-Identifier: MIT
import Platform

/// Which usage is wanted, and what it is told apart by.
package struct UsageQuery: Sendable {
  /// Days since 1970-01-01, both included.
  package var firstDay: Int64
  package var lastDay: Int64
  /// nil admits any.
  package var userID: Int64?
  package var tokenID: Int64?
  package var modelID: Int64?
  package var tellsDays = false
  package var tellsUsers = false
  package var tellsTokens = false
  package var tellsModels = false

  /// Makes a query for all usage of some days.
  package init(firstDay: Int64, lastDay: Int64) {
    self.firstDay = firstDay
    self.lastDay = lastDay
  }

  /// Whether a row is wanted, by its day and its ids.
  func admits(_ key: UsageDayKey) -> Bool {
    func admits(_ wanted: Int64?, _ value: Int64) -> Bool { wanted == nil || wanted == value }
    return key.day >= firstDay && key.day <= lastDay && admits(userID, key.userID)
      && admits(tokenID, key.tokenID) && admits(modelID, key.modelID)
  }

  /// The part of a key that is told apart.
  func group(of key: UsageDayKey) -> UsageDayKey {
    UsageDayKey(
      day: tellsDays ? key.day : 0, userID: tellsUsers ? key.userID : 0,
      tokenID: tellsTokens ? key.tokenID : 0, modelID: tellsModels ? key.modelID : 0)
  }
}

/// What a query for usage finds: the largest groups, and the sum over all.
package struct UsageSummary: Sendable {
  /// What a query tells apart, and its sums.
  package struct Group: Sendable {
    package let key: UsageDayKey
    package let sums: UsageSums
  }

  /// By day where days are told apart, then those with the largest charge, then the most requests.
  package let groups: [Group]
  package let total: UsageSums
  /// Whether there are more groups.
  package let isCut: Bool
}

/// Usage being summed by what a query tells apart.
struct UsageReport: Sendable {
  /// Groups that are told apart at most; further ones count in the total only.
  static let groupLimit = 12_000

  private(set) var groups: [UsageDayKey: UsageSums] = [:]
  private(set) var total = UsageSums()
  /// Whether a group had no room.
  private(set) var isCut = false

  /// Adds a row that the query admits.
  @inline(never)
  mutating func add(_ sums: UsageSums, of key: UsageDayKey, in query: UsageQuery) {
    total.add(sums)
    let group = query.group(of: key)
    guard groups[group] != nil || groups.count < UsageReport.groupLimit else {
      isCut = true
      return
    }
    groups[group, default: UsageSums()].add(sums)
  }

  /// The groups with the largest charge, at most so many, and the total.
  ///
  /// `isByDay`: the groups are ordered by day.
  func summary(_ limit: Int, isByDay: Bool) -> UsageSummary {
    let all = groups.map { UsageSummary.Group(key: $0.key, sums: $0.value) }
    let largest = Array(UsageReport.sorted(all, isByDay: false).prefix(limit))
    return UsageSummary(
      groups: isByDay ? UsageReport.sorted(largest, isByDay: true) : largest, total: total,
      isCut: isCut || all.count > largest.count)
  }

  @inline(never)
  private static func sorted(
    _ groups: [UsageSummary.Group], isByDay: Bool
  ) -> [UsageSummary.Group] {
    groups.sorted { left, right in
      if isByDay, left.key.day != right.key.day { return left.key.day < right.key.day }
      if left.sums.charge != right.sums.charge { return left.sums.charge > right.sums.charge }
      if left.sums.requests != right.sums.requests {
        return left.sums.requests > right.sums.requests
      }
      return left.key.isBefore(right.key)
    }
  }
}

extension UsageDayKey {
  /// An order for what is otherwise equal, so that answers do not change by themselves.
  fileprivate func isBefore(_ other: UsageDayKey) -> Bool {
    if day != other.day { return day < other.day }
    if userID != other.userID { return userID < other.userID }
    if tokenID != other.tokenID { return tokenID < other.tokenID }
    return modelID < other.modelID
  }
}
