// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Store
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Timed tests of channels in a running gateway: each enabled one in turn, never two at once.
@Suite(.serialized) struct ChannelTestTimerTests {
  @Test func testsEnabledChannelsInTurn() throws {
    let running = try RunningGateway(testIntervalMilliseconds: 20)
    for id: Int64 in 1...3 { try running.addChannel(id, models: "model-\(id),other") }
    try running.addChannel(4, models: "off", status: .disabled)
    try running.addChannel(5, models: "")
    try running.run(untilRequests: 6)
    #expect(
      running.upstream.models == ["model-1", "model-2", "model-3", "model-1", "model-2", "model-3"])
    #expect(running.upstream.mostAtOnce == 1)
    let log = try running.log()
    for id in 1...3 {
      #expect(log.contains("info channel test channel=\(id) name=\"a channel\" ok"), "\(log)")
    }
  }

  @Test func warnsOfAChannelThatFails() throws {
    let running = try RunningGateway(testIntervalMilliseconds: 20)
    try running.addChannel(1, models: "refused")
    try running.addChannel(2, models: "fine")
    try running.run(untilRequests: 2)
    let log = try running.log()
    #expect(
      log.contains(
        "warn channel test channel=1 name=\"a channel\" failed reason=the upstream refuses the key "
          + "(401): no"), "\(log)")
    #expect(log.contains("info channel test channel=2 name=\"a channel\" ok"), "\(log)")
  }

  @Test func goesOnAfterAChannelThatCannotBeReached() throws {
    let running = try RunningGateway(testIntervalMilliseconds: 20)
    // An address that is always refused fails within the call.
    try running.addChannel(1, models: "m", baseURL: "http://169.254.169.254/v1")
    try running.addChannel(2, models: "m", baseURL: "http://127.0.0.1:9/v1")
    try running.addChannel(3, models: "reached")
    try running.run(untilRequests: 1)
    #expect(running.upstream.models == ["reached"])
    let log = try running.log()
    #expect(log.contains("warn channel test channel=1"), "\(log)")
    #expect(log.contains("warn channel test channel=2"), "\(log)")
  }

  /// A channel that only refuses the test may serve everything else.
  @Test func takesOutOnlyWhatIsOutOfOrder() throws {
    let running = try RunningGateway(testIntervalMilliseconds: 20)
    let statuses: [Int64] = [400, 401, 404, 429, 500, 503]
    for status in statuses { try running.addChannel(status, models: "status-\(status)") }
    try running.addChannel(600, models: "m", baseURL: "http://127.0.0.1:9/v1")
    try running.addChannel(700, models: "fine")
    try running.run(untilRequests: statuses.count + 1)
    for channel in running.gateway.channels.all {
      let isClosed = channel.health.breaker.phase == .closed
      #expect(isClosed == ![500, 503, 600].contains(channel.id), "channel \(channel.id)")
    }
    let log = try running.log()
    for id in statuses { #expect(log.contains("warn channel test channel=\(id) "), "\(log)") }
  }

  @Test func asksNobodyWhileOff() throws {
    let running = try RunningGateway(testIntervalMilliseconds: 0)
    try running.addChannel(1, models: "m")
    #expect(running.gateway.channelTests.deadline == nil)
    try running.run(forMilliseconds: 60)
    #expect(running.upstream.models.isEmpty)
  }
}

/// A gateway in this process with an upstream of its own on the same loop.
final class RunningGateway {
  let gateway: Gateway
  let upstream = FakeUpstream()
  private let fixture: ConfigurationFixture
  private let pipe = Pipe()
  private let port: Int
  private let logPath: String
  private let logFile: FileHandle

  init(testIntervalMilliseconds: Int64) throws {
    fixture = try ConfigurationFixture()
    let words = ["--port", "0", "--listen", "127.0.0.1", "--flush-interval-ms", "100"]
    var configuration = try fixture.load(words).get()
    // Shorter than an owner may write.
    configuration.channelTestIntervalMilliseconds = testIntervalMilliseconds
    logPath = try fixture.directory.write("", to: "log")
    logFile = try #require(FileHandle(forWritingAtPath: logPath))
    let log = Log(level: .info, descriptor: logFile.fileDescriptor)
    let invocation = try Invocation(arguments: ["tinygateway"])
    gateway = try Gateway(
      configuration: configuration,
      loader: ConfigurationLoader(invocation: invocation, environment: []), log: log,
      signals: dup(pipe.fileHandleForReading.fileDescriptor))
    upstream.gateway = gateway
    let server = Server(
      loop: gateway.loop, service: upstream, limits: configuration.httpLimits, log: log)
    port = try server.listen(on: try #require(IPAddress("127.0.0.1")), port: 0)
    upstream.server = server
  }

  func addChannel(
    _ id: Int64, models: String, status: ChannelStatus = .enabled, baseURL: String? = nil
  ) throws {
    var record = RelayFixtures.record(id, models: ByteString(utf8: models), status: status)
    record.baseURL = ByteString(utf8: baseURL ?? "http://127.0.0.1:\(port)/v1")
    try gateway.channels.put(record)
  }

  /// Runs until the upstream has answered so many requests and the last was taken note of.
  func run(untilRequests count: Int) throws {
    upstream.wanted = count
    try run(forMilliseconds: 10_000)
    #expect(upstream.models.count == count)
  }

  func run(forMilliseconds limit: Int64) throws {
    let gateway = gateway
    gateway.loop.after(milliseconds: limit) { gateway.loop.stop() }
    try gateway.run()
  }

  func log() throws -> String { try String(contentsOfFile: logPath, encoding: .utf8) }
}

/// Answers chat requests with a completion, those for the model `refused` with 401 and those for
/// `status-N` with N.
final class FakeUpstream: Service {
  var gateway: Gateway?
  var server: Server?
  var wanted = Int.max
  private(set) var models: [String] = []
  private(set) var mostAtOnce = 0
  private var atOnce = 0

  func begin(_ head: RequestHead, _ responder: Responder) -> any Exchange {
    atOnce += 1
    mostAtOnce = max(mostAtOnce, atOnce)
    return FakeExchange { [self] body in
      atOnce -= 1
      let model = body.components(separatedBy: "\"model\":\"").last?.prefix { $0 != "\"" } ?? ""
      guard models.count < wanted else { return }
      models.append(String(model))
      let given = model.hasPrefix("status-") ? Int(model.dropFirst(7)) : nil
      let status = given ?? (model == "refused" ? 401 : 200)
      responder.respond(
        Status(status),
        json: RelayFixtures.buffer(
          status != 200 ? #"{"error":{"message":"no"}}"# : #"{"choices":[]}"#))
      guard models.count == wanted, let gateway else { return }
      // The answer has to arrive first.
      gateway.loop.after(milliseconds: 15) { gateway.loop.stop() }
    }
  }

  func refuse(_ status: Status, _ sentence: StaticString, _ responder: Responder) {
    Issue.record("a bad request: \(sentence)")
  }
}

/// Gathers the body of one request.
private final class FakeExchange: Exchange {
  private let body = Buffer()
  private let answer: (String) -> Void

  init(_ answer: @escaping (String) -> Void) { self.answer = answer }

  var acceptsBody: Bool { true }
  func received(_ bytes: Span<UInt8>) { body.append(bytes) }
  func bodyEnded() { answer(body.byteString.text) }
  func outputDrained() {}
  func cancelled() {}
}
