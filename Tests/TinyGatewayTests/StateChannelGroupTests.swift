// SPDX-License-Identifier: MIT
import Platform
import Store
import Testing

@testable import TinyGateway

struct StateChannelGroupTests {
  private func directory(_ records: ChannelGroupRecord...) -> ChannelGroupDirectory {
    let groups = ChannelGroupDirectory()
    for record in records { groups.put(record) }
    return groups
  }

  @Test func usesItsOwnRetriesOrThoseOfTheGateway() {
    var configuration = Configuration(ConfigurationLayers())
    configuration.retries = 3
    configuration.retryIntervalMilliseconds = 50
    let plain = ChannelGroup(ChannelGroupRecord(name: "a"))
    #expect(plain.attemptLimit(configuration) == 4)
    #expect(plain.retryIntervalMilliseconds(configuration) == 50)
    let own = ChannelGroup(
      ChannelGroupRecord(name: "a", retries: 0, retryIntervalMilliseconds: 0))
    #expect(own.attemptLimit(configuration) == 1)
    #expect(own.retryIntervalMilliseconds(configuration) == 0)
  }

  @Test func keepsTheOrderOfFallbacks() {
    let group = ChannelGroup(ChannelGroupRecord(name: "a", fallbackChannels: "9,2,11"))
    #expect(group.fallbackIDs == [9, 2, 11])
    #expect(ChannelGroup.text(group.fallbackIDs) == "9,2,11")
    #expect(ChannelGroup.text([]) == "" && ChannelGroup.ids("") == [])
  }

  @Test func isFoundByItsNameOfNow() throws {
    let groups = directory(
      ChannelGroupRecord(id: 1, name: "default"), ChannelGroupRecord(id: 2, name: "vip"))
    let vip = try #require(groups.find("vip"))
    groups.put(
      ChannelGroupRecord(
        id: 2, name: "gold", strategy: .priority, fallbackChannels: "5", isSticky: true))
    #expect(groups.find("vip") == nil)
    #expect(groups.find("gold") === vip && groups.find(2) === vip)
    #expect(vip.strategy == .priority && vip.isSticky && vip.fallbackIDs == [5])
    #expect(groups.all.map(\.id) == [1, 2])
    groups.remove(2)
    #expect(groups.find("gold") == nil && groups.find(2) == nil)
  }

  @Test func losesAFallbackThatIsGone() {
    let groups = directory(
      ChannelGroupRecord(id: 1, name: "a", fallbackChannels: "3,1,2", isSticky: true),
      ChannelGroupRecord(id: 2, name: "b", fallbackChannels: "2"),
      ChannelGroupRecord(id: 3, name: "c", fallbackChannels: "1"),
      ChannelGroupRecord(id: 4, name: "d"))
    let left = groups.recordsWithout(fallback: 1)
    #expect(left.map(\.id) == [1, 3])
    #expect(left.map(\.fallbackChannels) == ["3,2", ""])
    #expect(left.first?.isSticky == true)
    #expect(groups.find(1)?.fallbackIDs == [3, 1, 2])
  }
}
