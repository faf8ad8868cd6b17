// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

struct ConfigurationCapacityTests {
  private func capacity(_ yaml: String) throws -> Capacity {
    try ConfigurationFixture(yaml).load().get().capacity
  }

  private func check(
    _ megabytes: Int, connections: Int, requests: Int, idle: Int, perAddress: Int = 64,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let capacity = try capacity("memory_limit_mb: \(megabytes)")
    #expect(capacity.connections == connections, sourceLocation: sourceLocation)
    #expect(capacity.requests == requests, sourceLocation: sourceLocation)
    #expect(capacity.poolIdlePerUpstream == idle, sourceLocation: sourceLocation)
    #expect(capacity.connectionsPerAddress == perAddress, sourceLocation: sourceLocation)
  }

  @Test func followsTheMemory() throws {
    try check(12, connections: 64, requests: 16, idle: 8)
    try check(16, connections: 85, requests: 21, idle: 10)
    try check(24, connections: 128, requests: 32, idle: 16)
    try check(32, connections: 256, requests: 64, idle: 32)
    try check(48, connections: 512, requests: 128, idle: 64)
    try check(128, connections: 1890, requests: 866, idle: 433)
    try check(256, connections: 4096, requests: 2048, idle: 1024, perAddress: 4096)
    try check(1_048_576, connections: 4096, requests: 2048, idle: 1024, perAddress: 4096)
  }

  @Test func neverAdmitsMoreThanTheMemoryBears() throws {
    for megabytes in 12...300 {
      let capacity = try capacity("memory_limit_mb: \(megabytes)")
      let work =
        Int64(capacity.connections) * Capacity.connectionByteCount
        + Int64(capacity.requests) * Capacity.requestByteCount
      #expect(work <= Capacity.workByteCount(megabytes), "\(megabytes) MB")
      #expect(capacity.bodyHeldByteCount <= capacity.bodiesHeldByteCount)
      #expect(32 * 1024...256 * 1024 ~= capacity.streamBufferByteCount)
    }
  }

  @Test func leavesDescriptorsForTheRest() throws {
    var configuration = try ConfigurationFixture("memory_limit_mb: 24").load().get()
    for (limit, connections) in [(1024, 128), (296, 128), (295, 127), (60, 10), (42, 1), (0, 1)] {
      configuration.descriptorLimit = limit
      #expect(configuration.capacity.connections == connections, "\(limit)")
      #expect(configuration.capacity.requests == min(connections, 32), "\(limit)")
    }
  }

  @Test func takesSettingsBeforeDerivedAmounts() throws {
    let capacity = try capacity(
      "connection_limit: 10\nrequest_limit: 20\nconnections_per_address: 5\nbody_limit_mb: 1")
    #expect(capacity.connections == 10)
    #expect(capacity.requests == 10)
    #expect(capacity.connectionsPerAddress == 5)
    #expect(capacity.bodyHeldByteCount == 1 << 20)
  }

  @Test func lowersTheHeldBodyOnSmallBoards() throws {
    #expect(try capacity("memory_limit_mb: 24").bodyHeldByteCount == 8 << 20)
    #expect(try capacity("memory_limit_mb: 12").bodyHeldByteCount == 4 << 20)
  }
}
