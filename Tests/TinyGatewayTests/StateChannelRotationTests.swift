// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

/// Which channels share the requests for a model, and whose turn it stays over changes.
struct StateChannelRotationTests {
  private func directory(_ records: ChannelRecord...) -> ChannelDirectory {
    let directory = ChannelDirectory(defaults: RelayFixtures.timeouts)
    #expect(directory.load(records).isEmpty)
    return directory
  }

  private func check(
    _ directory: ChannelDirectory, _ model: ByteString, _ ids: [Int64],
    group: ByteString = "default", localOnly: Bool = false,
    _ location: SourceLocation = #_sourceLocation
  ) {
    for _ in 0..<2 {  // The second answer may come from what the first one left.
      let found = directory.rotation(for: model, group: group, localOnly: localOnly)
      #expect(found?.channels.map(\.id) ?? [] == ids, sourceLocation: location)
      #expect((found == nil) == ids.isEmpty, sourceLocation: location)
    }
  }

  private func choices(_ count: Int, _ directory: ChannelDirectory) -> [Int64] {
    (0..<count).compactMap { _ in
      directory.rotation(for: "m", group: "default")?.next(
        .weightedRoundRobin, at: RoutingFixtures.at(0), where: { _ in true })?.channel.id
    }
  }

  @Test func holdsEnabledChannelsOfTheGroup() {
    let directory = directory(
      RoutingFixtures.record(1, models: "m,a"),
      RoutingFixtures.record(2, groups: "vip,default"), RoutingFixtures.record(3, groups: "vip"),
      RoutingFixtures.record(4, status: .disabled),
      RoutingFixtures.record(5, status: .autoDisabled), RoutingFixtures.record(6, weight: 0),
      RoutingFixtures.record(7, groups: ""))
    check(directory, "m", [1, 2])
    check(directory, "m", [2, 3], group: "vip")
    check(directory, "a", [1])
    check(directory, "a", [], group: "vip")
    for name: ByteString in ["", "nobody", "Default", "vip,default"] {
      check(directory, "m", [], group: name)
    }
    for model: ByteString in ["", "M", "x"] { check(directory, model, []) }
  }

  @Test func letsAChannelWithoutAListServeAnyModel() throws {
    let directory = directory(
      RoutingFixtures.record(1, models: "m"), RoutingFixtures.record(2, models: ""))
    check(directory, "m", [1, 2])
    check(directory, "x", [2])
    check(directory, "y", [2])
    let one = directory.rotation(for: "x", group: "default")
    #expect(one === directory.rotation(for: "y", group: "default"), "they share their turns")
    try directory.put(RoutingFixtures.record(2, models: "", status: .disabled))
    check(directory, "m", [1])
    check(directory, "x", [])
  }

  /// Also those that serve any model: of equals the one with the lowest id is first.
  @Test func listsThemById() {
    let directory = directory(
      RoutingFixtures.record(4, models: "m"), RoutingFixtures.record(1, models: ""),
      RoutingFixtures.record(3, models: ""), RoutingFixtures.record(2, models: "m"))
    check(directory, "m", [1, 2, 3, 4])
    check(directory, "x", [1, 3])
  }

  @Test func holdsLocalChannelsOnly() {
    let directory = directory(
      RoutingFixtures.record(1), RoutingFixtures.record(2, location: .local),
      RoutingFixtures.record(3, models: "", location: .local),
      RoutingFixtures.record(4, models: "cloud"),
      RoutingFixtures.record(5, groups: "vip", location: .local))
    check(directory, "m", [1, 2, 3])
    check(directory, "m", [2, 3], localOnly: true)
    check(directory, "x", [3], localOnly: true)
    check(directory, "cloud", [3, 4])
    check(directory, "cloud", [3], localOnly: true)
    check(directory, "m", [5], group: "vip", localOnly: true)
  }

  /// Names of groups may hold spaces.
  @Test func keepsGroupsOfAnyNameApart() {
    for name: ByteString in ["local default", " default", "default "] {
      let directory = directory(
        RoutingFixtures.record(1, location: .local), RoutingFixtures.record(2, groups: "x"))
      check(directory, "m", [1], localOnly: true)
      check(directory, "m", [], group: name)
      check(directory, "m", [], group: name, localOnly: true)
    }
    let directory = directory(
      RoutingFixtures.record(1, groups: "local default"), RoutingFixtures.record(2))
    check(directory, "m", [1], group: "local default")
    check(directory, "m", [], localOnly: true)
  }

  @Test func followsChanges() throws {
    let directory = directory(
      RoutingFixtures.record(1), RoutingFixtures.record(2), RoutingFixtures.record(3))
    check(directory, "m", [1, 2, 3])
    try directory.put(RoutingFixtures.record(1, status: .disabled))
    check(directory, "m", [2, 3])
    try directory.put(RoutingFixtures.record(2, models: "other"))
    check(directory, "m", [3])
    try directory.put(RoutingFixtures.record(4))
    check(directory, "m", [3, 4])
    directory.remove(3)
    check(directory, "m", [4])
    try directory.put(RoutingFixtures.record(4, groups: "vip"))
    check(directory, "m", [])
    check(directory, "m", [], group: "empty")
    try directory.put(RoutingFixtures.record(1, groups: "default,empty"))
    check(directory, "m", [1])
    check(directory, "m", [1], group: "empty")
    #expect(
      directory.rotation(for: "m", group: "default")?.channels.first === directory.find(1),
      "the new object, not the one from before")
  }

  // Turns.

  /// A change of anything must not begin every rotation anew: with frequent changes the first
  /// channel would get everything.
  @Test func keepsTheTurnsOverChangesOfOthers() throws {
    for gap in [1, 2, 3, 7] {
      let directory = directory(
        RoutingFixtures.record(1, weight: 90), RoutingFixtures.record(2, weight: 10))
      var served: [Int64] = []
      for change: Int64 in 0..<Int64(1000 / gap + 1) {
        served += choices(gap, directory)
        try directory.put(RoutingFixtures.record(3 + change % 3, models: "other"))
        // Sometimes nobody asks between two changes.
        if change % 5 == 0 { _ = directory.replaceDefaults(RelayFixtures.timeouts) }
        if change % 7 == 0 { directory.remove(4) }
      }
      for start in 0...900 {
        #expect(served[start..<(start + 100)].count { $0 == 2 } == 10, "\(gap) from \(start)")
      }
    }
  }

  @Test func keepsTheTurnsWhileAChannelComesAndGoes() throws {
    let directory = directory(
      RoutingFixtures.record(1, weight: 3), RoutingFixtures.record(2, weight: 1),
      RoutingFixtures.record(3, weight: 1))
    var served: [Int64] = []
    for round in 0..<400 {
      let status: ChannelStatus = round % 2 == 0 ? .disabled : .enabled
      try directory.put(RoutingFixtures.record(3, weight: 1, status: status))
      served += choices(1, directory)
    }
    // 200 requests with the third channel and 200 without it.
    #expect(abs(served.count { $0 == 1 } - 270) <= 2)
    #expect(abs(served.count { $0 == 2 } - 90) <= 2)
    #expect(abs(served.count { $0 == 3 } - 40) <= 2)
  }

  /// Its last turns are kept although nobody could ask meanwhile.
  @Test func keepsTheTurnsOfAModelThatWasOff() throws {
    let directory = directory(
      RoutingFixtures.record(1, weight: 1), RoutingFixtures.record(2, weight: 1))
    #expect(choices(1, directory) == [1])
    for id: Int64 in 1...2 { try directory.put(RoutingFixtures.record(id, status: .disabled)) }
    #expect(choices(1, directory).isEmpty)
    for id: Int64 in 1...2 { try directory.put(RoutingFixtures.record(id)) }
    #expect(choices(2, directory) == [2, 1])
  }

  @Test func countsTheTurnsOfEachGroupAndModel() {
    let directory = directory(
      RoutingFixtures.record(1, models: "m,n", groups: "default,vip"),
      RoutingFixtures.record(2, models: "m,n", groups: "default,vip"))
    func next(_ model: ByteString, _ group: ByteString) -> Int64? {
      directory.rotation(for: model, group: group)?.next(
        .weightedRoundRobin, at: RoutingFixtures.at(0), where: { _ in true })?.channel.id
    }
    #expect(next("m", "default") == 1)
    #expect(next("n", "default") == 1)
    #expect(next("m", "vip") == 1)
    #expect(next("m", "default") == 2)
    #expect(next("n", "default") == 2)
  }
}
