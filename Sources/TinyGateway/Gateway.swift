// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform
import Store

/// Everything that lives as long as the program, and its start and stop.
final class Gateway {
  let loop: EventLoop
  let log: Log
  fileprivate(set) var configuration: Configuration
  fileprivate(set) var capacity: Capacity
  let channels: ChannelDirectory
  let channelGroups = ChannelGroupDirectory()
  let userGroups = UserGroupDirectory()
  /// Which models serve for others; the management API replaces it.
  var modelFallbacks = ModelFallbacks()
  let prices = Prices()
  /// What the management API changes at run time.
  var options = Options() { didSet { batch.retention = options.retention } }
  /// Where the days and months of quotas and statistics begin.
  var zone = TimeZone.utc { didSet { batch.zone = zone } }
  /// The name or rule of `zone`.
  var zoneName: ByteString = "UTC"
  /// What tokens with limits per minute have asked for lately.
  var rates = RateLimiter()
  let secrets: ChannelSecrets
  let accounts = AccountDirectory()
  /// Management tokens, sessions of the web pages, logins that were ended.
  let logins = LoginDirectory()
  let storage: Storage
  let batch: WriteBatch
  let pool: ConnectionPool
  /// Verifies upstreams; nil when no certificate authorities were found (`tlsProblem` says why).
  fileprivate(set) var tlsContext: TLSContext?
  fileprivate(set) var tlsProblem: ByteString
  /// Hashes passwords, one at a time, off the loop.
  let passwordWorker: Worker
  /// Reads and writes the files that the management API sends and receives, off the loop.
  let fileWorker: Worker
  /// Signs JWTs; 32 random bytes made at first start.
  var jwtSecret: ByteString
  /// What the management API keeps in memory: login guard, changes under way, channel tests.
  let admin = AdminState()
  let channelTests = ChannelTestTimer()
  let backups: BackupKeeper
  /// What was done about a damaged database at the start; nil when it was sound.
  let recovery: Recovery.Notice?
  let startedAt = UnixTime.seconds
  let startedInstant = Instant.now
  let requestIDs = RequestIDSource()
  /// Relays under way, for the admission limit and for deadlines.
  let relays: RelayRegistry
  /// Relays that wait for a busy channel.
  let waitingRoom = WaitingRoom()
  /// Where relays collect what goes to a client in one step; empty between steps.
  let relayOutput = Buffer()
  /// Machines that are being woken.
  private(set) lazy var wakers = WakerRegistry(gateway: self)
  /// Short-lived tokens of vendors that exchange keys for them.
  private(set) lazy var accessTokens = AccessTokens(gateway: self)
  let loader: ConfigurationLoader
  /// Reports signals; opened before any thread was started.
  private let signals: Int32
  fileprivate var server: Server?
  var clientConnectionCount: Int { server?.connectionCount ?? 0 }
  private var stopDeadline: Instant?

  /// Opens everything but the listening sockets.
  ///
  /// Throws one sentence that says what to change.
  init(
    configuration: Configuration, loader: ConfigurationLoader, log: Log, signals: Int32
  ) throws(StartError) {
    self.signals = signals
    self.configuration = configuration
    self.loader = loader
    self.log = log
    capacity = configuration.capacity
    let opened = try OpenedDatabase(configuration, log: log)
    let snapshot = opened.snapshot
    (jwtSecret, recovery) = (opened.loginSecret, opened.recovery)
    backups = BackupKeeper(configuration, now: .now)
    (tlsContext, tlsProblem) = UpstreamTrust.context(configuration, log: log)
    do throws(SystemError) {
      loop = try EventLoop()
    } catch {
      throw StartError("the kernel refuses an event loop: \(error.text)")
    }
    channels = ChannelDirectory(defaults: configuration.clientTimeouts)
    channels.breakerPolicy = configuration.breaker
    pool = ConnectionPool(
      loop: loop, limits: configuration.httpLimits,
      policy: AddressPolicy(privateBlocks: configuration.privateUpstreamBlocks))
    passwordWorker = Worker(name: "passwords", mailbox: loop.mailbox)
    fileWorker = Worker(name: "files", mailbox: loop.mailbox)
    relays = RelayRegistry(
      limit: capacity.requests, bodiesByteCount: capacity.bodiesHeldByteCount)
    secrets = try ChannelSecrets(
      path: configuration.path(ChannelSecrets.fileName), for: snapshot.channels, log: log)
    do throws(StoreError) {
      storage = try Storage(opened.database, mailbox: loop.mailbox)
    } catch {
      throw StartError(error.sentence.text)
    }
    batch = WriteBatch(
      storage: storage, snapshot: snapshot, settings: configuration.storage)
    batch.retention = options.retention
    loadZone()
    load(snapshot, opened.hours)
    storage.healthChanged = { [self] in storageChanged($0) }
    if let failure = storage.failure { storageChanged(failure) }
  }

  /// What routes are looked up in.
  var routing: RoutingContext {
    RoutingContext(
      channels: channels, groups: channelGroups, fallbacks: modelFallbacks,
      attemptLimit: configuration.retries + 1)
  }

  /// A new id for one request.
  func makeRequestID() -> Int64 { requestIDs.next() }

  /// Listens, and turns the loop until the program is told to stop.
  func run() throws(StartError) {
    let limits = configuration.httpLimits
    let router = Router(gateway: self)
    let server = Server(loop: loop, service: router, limits: limits, log: log)
    self.server = server
    do throws(StartError) {
      try listen(server)
    } catch {
      closeStorage()
      throw error
    }
    for warning in configuration.warnings { log.warn(warning.text) }
    if !tlsProblem.isEmpty { log.warn("channels with https will not work: \(tlsProblem.text)") }
    if hasFirstPassword {
      log.warn("the root account still has its first password; log in and choose a new one")
    }
    loop.add(SignalHandler(descriptor: signals, gateway: self))
    loop.endOfTurn = { [self] in endOfTurn() }
    channelTests.setInterval(
      milliseconds: configuration.channelTestIntervalMilliseconds, now: .now)
    cp_end_start()
    loop.run()
    if closeStorage() { log.info("stopped") }
    log.flush()
  }

  /// Closes the database in order, so that the next start finds it clean; false when that fails.
  @discardableResult
  private func closeStorage() -> Bool {
    do throws(StoreError) {
      try storage.close(flushing: batch)
      return true
    } catch {
      log.error("the last usage could not be saved: \(error.sentence.text)")
      return false
    }
  }

  // While running.

  /// The loop's timer for what has no descriptor: batches, gathered log lines, old relays.
  private func endOfTurn() {
    let now = loop.now
    batch.deadlinePassed(now: now)
    relays.endOverdue(now: now)
    let goesOn = waitingRoom.turnEnded(now: now)
    channelTests.deadlinePassed(now: now, self)
    backups.deadlinePassed(now: now, self)
    var wake = Int64.max
    func wakeAt(_ due: Instant?) { wake = min(wake, due?.nanoseconds ?? .max) }
    wakeAt(batch.deadline)
    wakeAt(relays.nextCheck)
    wakeAt(channelTests.deadline)
    wakeAt(backups.deadline)
    wakeAt(waitingRoom.nextDeadline)
    if log.hasPending {
      if now >= logFlushAt {
        log.flush()
        logFlushAt = now.advanced(byMilliseconds: Gateway.logMilliseconds)
      }
      if log.hasPending { wake = min(wake, logFlushAt.nanoseconds) }
    }
    if let stopDeadline, let server {
      if server.isDrained || now >= stopDeadline { loop.stop() }
      wake = min(wake, stopDeadline.nanoseconds)
    }
    loop.wakeAt = goesOn ? now.nanoseconds : wake
  }

  private static let logMilliseconds: Int64 = 1000
  private var logFlushAt = Instant(nanoseconds: 0)

  /// SIGTERM or SIGINT: streams finish until the deadline; a second one ends at once.
  func stop() {
    guard stopDeadline == nil else { return loop.stop() }
    log.info("stopping")
    stopDeadline = loop.now.advanced(byMilliseconds: configuration.stopTimeoutMilliseconds)
    server?.stop()
    channelTests.stop(now: loop.now)
    backups.stop()
    pool.closeIdle()
  }

  /// SIGPWR, from what watches the supply: the usage that waits is written at once.
  func powerFails() {
    log.warn("the power is failing: usage is written now")
    batch.flush(now: loop.now)
  }

  /// SIGHUP: reads the configuration again; what is wrong with it changes nothing.
  func reload() {
    do throws(ConfigurationError) {
      try take(try loader.load())
    } catch {
      log.error("the configuration is not reloaded: \(error.text.text)")
    }
  }

  /// Puts what may change at run time in force.
  ///
  /// Throws what makes that impossible together with the rest; nothing is changed then.
  func take(_ loaded: Configuration) throws(ConfigurationError) {
    let (changed, ignored) = try configuration.reloaded(from: loaded)
    apply(changed)
    for key in ignored { log.warn("\(key.text) changes only with a restart") }
    if changed.tlsPort > 0 {
      do throws(StartError) {
        server?.replaceTLS(try ServerCertificate.context(changed, log: log))
      } catch {
        log.error("the certificate is not reloaded: \(error.sentence.text)")
      }
    }
    log.info("configuration reloaded")
  }
}

extension Gateway {
  /// Puts changed settings in force for what happens from now on.
  fileprivate func apply(_ changed: Configuration) {
    configuration = changed
    capacity = changed.capacity
    log.level = changed.logLevel
    channels.breakerPolicy = changed.breaker
    let refused = channels.replaceDefaults(changed.clientTimeouts)
    for (record, error) in refused {
      log.error("channel \(record.id) keeps its timeouts: \(error.sentence.text)")
    }
    channelTests.setInterval(
      milliseconds: changed.channelTestIntervalMilliseconds, now: loop.now)
    server?.replaceLimits(changed.httpLimits)
    pool.replace(
      limits: changed.httpLimits,
      policy: AddressPolicy(privateBlocks: changed.privateUpstreamBlocks))
    let (context, problem) = UpstreamTrust.context(changed, log: log)
    if context == nil {
      log.error("upstreams are verified as before: \(problem.text)")
    } else {
      (tlsContext, tlsProblem) = (context, problem)
    }
    // After the new context is there: it may have the address of one that ended earlier, by which
    // the pool tells targets and TLS sessions apart.
    pool.closeIdle()
  }
}

/// Why the program does not start: one sentence that says what to change.
struct StartError: Error {
  let sentence: ByteString
  init(_ sentence: String) { self.sentence = ByteString(utf8: sentence) }
  init(_ sentence: ByteString) { self.sentence = sentence }
}
