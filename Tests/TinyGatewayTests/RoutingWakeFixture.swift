// SPDX-License-Identifier: MIT
import CPlatform
import Glibc
import Platform
import Store
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// A gateway whose loop the test turns, a machine that is off at first, and a socket in place of
/// the network that its packets are broadcast on.
final class WakeFixture: Service {
  private static let patienceMilliseconds: Int64 = 10_000
  static let address: IPAddress = {
    guard let address = IPAddress("127.0.0.1") else { preconditionFailure("not an address") }
    return address
  }()

  let gateway: Gateway
  let mac: MACAddress
  private(set) var registry: WakerRegistry
  private let configuration: ConfigurationFixture
  private let logDescriptor: Int32
  /// Where packets arrive.
  private let receiver: Int32
  /// Of the machine; nobody listens while it is off.
  let port: Int
  private var server: Server?
  /// What the machine answers; nil lets requests wait.
  var answer: (status: Int, body: String)? = (200, "{}")
  private(set) var paths: [String] = []
  private(set) var cancelCount = 0

  init(packet: Int64 = 5000, poll: Int64 = 5, pause: Int64 = 10_000) throws {
    configuration = try ConfigurationFixture("")
    let settings = try configuration.load().get()
    let path = ByteString(utf8: configuration.directory.path + "/log")
    logDescriptor = path.withCString { cp_open($0, Int32(CP_APPEND), 0o600) }
    gateway = try Gateway(
      configuration: settings,
      loader: ConfigurationLoader(
        invocation: try Invocation(arguments: ["tinygateway"]), environment: []),
      log: Log(level: .info, descriptor: logDescriptor), signals: -1)
    mac = try #require(MACAddress("00:1b:21:3c:9d:f8") as MACAddress?)
    receiver = try WakeFixture.makeReceiver()
    let listener = WakeFixture.address.withBytes { cp_listen($0, $1, 0, 1) }
    port = Int(cp_local_port(listener))
    _ = cp_close(listener)
    let schedule = WakeState.Schedule(
      packetMilliseconds: packet, pollMilliseconds: poll, pauseMilliseconds: pause)
    registry = WakerRegistry(
      gateway: gateway, schedule: schedule, packetPort: Int(cp_local_port(receiver)))
  }

  deinit {
    server?.stop()
    _ = cp_close(receiver)
    _ = cp_close(logDescriptor)
  }

  private static func makeReceiver() throws -> Int32 {
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = try SystemError.check(socket(AF_INET, kind, 0), "socket")
    var local = sockaddr_in()
    local.sin_family = sa_family_t(AF_INET)
    local.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let size = socklen_t(MemoryLayout.size(ofValue: local))
    let bound = withUnsafeBytes(of: &local) { raw in
      bind(descriptor, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), size)
    }
    try #require(bound == 0)
    return descriptor
  }

  // The test's side.

  /// A channel that leads to the machine.
  func channel(_ id: Int64 = 1, port: Int? = nil) throws -> Channel {
    var record = RelayFixtures.record(id)
    record.baseURL = ByteString(utf8: "http://127.0.0.1:\(port ?? self.port)/v1")
    return try RelayFixtures.channel(record)
  }

  /// Waits for the channel's machine.
  @discardableResult
  func wait(
    for channel: Channel, timeout: Int64 = 60_000, _ done: @escaping (Bool) -> Void
  ) -> WaitID {
    registry.wait(
      for: channel, mac: mac, broadcast: WakeFixture.address, timeoutMilliseconds: timeout, done)
  }

  /// The next packet; nil when none has come.
  func takePacket() -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 2048)
    let count = cp_receive(receiver, &bytes, bytes.count)
    return count < 0 ? nil : Array(bytes[..<Int(count)])
  }

  /// The machine's server listens from now on.
  func boot() throws {
    let server = Server(
      loop: gateway.loop, service: self, limits: HTTPLimits(),
      log: Log(level: .error, descriptor: -1))
    try server.listen(on: WakeFixture.address, port: port)
    self.server = server
  }

  /// Lines of the log about channels, without time.
  func logLines() throws -> [String] {
    gateway.log.flush()
    return try configuration.directory.read("log").split(separator: "\n").compactMap { line in
      line.range(of: "channel ").map { String(line[$0.lowerBound...]) }
    }
  }

  /// Turns until the condition holds; records an issue after ten seconds.
  func turn(location: SourceLocation = #_sourceLocation, until condition: () -> Bool) {
    let end = Instant.now.advanced(byMilliseconds: WakeFixture.patienceMilliseconds)
    while !condition() {
      guard Instant.now < end else {
        Issue.record("waited in vain", sourceLocation: location)
        return
      }
      gateway.loop.wakeAt = Instant.now.nanoseconds + 500_000
      gateway.loop.turn()
    }
  }

  /// The number of turns that the loop makes by itself in that time.
  func countTurns(milliseconds: Int64) -> Int {
    var (turns, isOver) = (0, false)
    gateway.loop.wakeAt = .max
    gateway.loop.after(milliseconds: milliseconds) { isOver = true }
    while !isOver {
      gateway.loop.turn()
      turns += 1
    }
    return turns
  }

  // The machine's side.

  func begin(_ head: RequestHead, _ responder: Responder) -> any Exchange {
    paths.append(String(decoding: head.path, as: UTF8.self))
    return MachineExchange(self, responder)
  }

  func refuse(_ status: Status, _ sentence: StaticString, _ responder: Responder) {}

  /// One poll, as the machine sees it.
  private final class MachineExchange: Exchange {
    private let fixture: WakeFixture
    private let responder: Responder
    let acceptsBody = true

    init(_ fixture: WakeFixture, _ responder: Responder) {
      self.fixture = fixture
      self.responder = responder
    }

    func received(_ bytes: Span<UInt8>) {}
    func bodyEnded() {
      guard let answer = fixture.answer else { return }
      [UInt8](answer.body.utf8).withUnsafeBytes {
        responder.respond(Status(answer.status), fields: { _ in }, body: $0)
      }
    }
    func outputDrained() {}
    func cancelled() { fixture.cancelCount += 1 }
  }
}
