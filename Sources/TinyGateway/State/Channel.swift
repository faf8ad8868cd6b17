// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store
import Vendors

/// One upstream account in memory: its record, what follows from it, and its live figures.
///
/// A change of settings replaces the object; the statistics move over.
final class Channel {
  let record: ChannelRecord
  let vendor: Vendor
  let url: URL
  /// Empty while the channel is locked (`ChannelSecrets`).
  let keys: [ByteString]
  /// Public models; empty means any.
  let models: [ByteString]
  /// What only its type has, the defaults included.
  let config: [ByteString: ByteString]
  /// Public name to upstream name.
  let mapping: [ByteString: ByteString]
  let groups: [ByteString]
  /// Header lines of the owner's, each with its line end.
  let headerLines: ByteString
  let timeouts: ClientTimeouts
  let statistics: ChannelStatistics
  let health: ChannelHealth
  /// Whether the upstream is in the owner's own network, so that it is there without internet.
  let isLocal: Bool
  /// Wakes the machine that serves the channel; nil when it never sleeps.
  let wakeAddress: MACAddress?
  /// Where magic packets go.
  let wakeBroadcast: IPAddress
  /// Whether its keys sign tokens and are not sent themselves.
  let signsTokens: Bool
  /// Whether dots are left out of models' names.
  private let stripsDots: Bool
  private let paths: [ByteString]
  /// Made with the first request, and anew when the authorities change.
  private var target: ConnectionPool.Target?
  /// What the heads of its calls have in common, kept by `UpstreamCall`.
  var lastHead: UpstreamCall.KnownHead?

  /// Throws a sentence that names the field which does not fit.
  ///
  /// `statistics`, `health`: those of the object that this one replaces.
  init(
    _ record: ChannelRecord, defaults: ClientTimeouts, statistics: ChannelStatistics,
    health: ChannelHealth = ChannelHealth()
  ) throws(FieldError) {
    guard let vendor = VendorRegistry.find(record.type) else {
      throw FieldError("type", "is not a known channel type; see /api/v1/channel-types")
    }
    self.record = record
    self.vendor = vendor
    self.statistics = statistics
    self.health = health
    config = ChannelConfig.values(of: record, vendor)
    signsTokens = config["signing"].map { $0 == "jwt" } ?? false
    stripsDots = config["deployment_dots"].map { $0 == "strip" } ?? false
    let base = try ChannelConfig.baseURL(of: record, vendor)
    guard !base.isEmpty else { throw FieldError("base_url", "is needed for this channel type") }
    guard let url = URL(base) else {
      throw FieldError(
        "base_url", "must be an http or https URL without user info, query and fragment")
    }
    self.url = url
    isLocal = Channel.isLocal(record.location, url.host)
    wakeAddress = MACAddress(record.wakeMAC)
    wakeBroadcast = IPAddress(record.wakeBroadcast) ?? .everyone
    paths = RelayMode.allCases.map { vendor.path(below: url.path, $0.call) }
    keys = ChannelSecrets.isSealed(record.keys) ? [] : record.keys.list(separatedBy: 0x0A)
    let listed = record.models.list(separatedBy: UInt8(ascii: ","))
    mapping = try ChannelFields.mapping(record.modelMapping)
    var names = listed.isEmpty ? vendor.models : listed
    if !names.isEmpty {
      for name in mapping.keys where !names.contains(name) { names.append(name) }
    }
    models = names
    groups = record.groups.list(separatedBy: UInt8(ascii: ","))
    headerLines = try ChannelFields.headerLines(record.headers)
    func value(_ own: Int64, _ standard: Int64) -> Int64 { own > 0 ? own : standard }
    timeouts = ClientTimeouts(
      connectMilliseconds: value(
        record.connectTimeoutMilliseconds, defaults.connectMilliseconds),
      firstByteMilliseconds: value(
        record.firstByteTimeoutMilliseconds, defaults.firstByteMilliseconds),
      idleMilliseconds: value(record.idleTimeoutMilliseconds, defaults.idleMilliseconds))
    health.adopt(keys: keys)
  }

  var id: Int64 { record.id }

  /// Where requests go; nil for https without certificate authorities.
  func target(trusting authorities: TLSContext?) -> ConnectionPool.Target? {
    let context = url.isSecure ? authorities : nil
    if url.isSecure, context == nil { return nil }
    if let target, target.context === context { return target }
    let made = ConnectionPool.Target(url: url, context: context)
    target = made
    return made
  }

  /// The path of a task on this channel's host; `model` is the upstream's name.
  func path(of mode: RelayMode, model: ByteString) -> ByteString {
    deploymentPath(mode.call, deployment: model) ?? paths[mode.rawValue]
  }

  /// The path of a call that names no model.
  func path(of call: StaticString) -> ByteString {
    deploymentPath(call, deployment: .empty) ?? vendor.path(below: url.path, call)
  }

  private func deploymentPath(_ call: StaticString, deployment: ByteString) -> ByteString? {
    guard vendor.quirks.contains(.deployments) else { return nil }
    return vendor.deploymentPath(
      below: url.path, call, deployment: deployment, version: config["api_version"] ?? .empty)
  }

  /// What a dialect is told of a call to this channel; `model` is the upstream's name.
  func facts(model: ByteString, key: ByteString) -> CallFacts {
    var facts = CallFacts()
    facts.basePath = url.path
    facts.authority = url.authority
    facts.model = model
    facts.key = key
    facts.config = config
    facts.now = UnixTime.seconds
    return facts
  }

  /// The upstream's name of a public model.
  func upstreamModel(for model: ByteString) -> ByteString {
    if let name = mapping[model] { return name }
    guard stripsDots else { return model }
    return ByteString(model.bytes.filter { $0 != UInt8(ascii: ".") })
  }

  /// The status that people see: off also while the vendor rejects every key.
  var shownStatus: ChannelStatus {
    record.status == .enabled && health.rejection != nil ? .autoDisabled : record.status
  }

  /// Why it is off.
  var shownReason: ByteString {
    record.status == .enabled ? health.rejection ?? .empty : record.statusReason
  }

  /// Whether the channel may be chosen at all.
  var isEnabled: Bool { record.status == .enabled && record.weight > 0 }

  /// Whether the channel serves the model.
  func serves(_ model: ByteString) -> Bool { models.isEmpty || models.contains(model) }

  /// Endings of names that only a local network knows (RFC 6762, RFC 8375, and routers' habits).
  private static let localEndings: [StaticString] = [
    ".local", ".lan", ".home.arpa", ".internal", ".localdomain",
  ]

  /// What the owner says, else what the host looks like: a private address, a name without a
  /// dot, or one that only a local network knows.
  private static func isLocal(_ location: ChannelLocation, _ host: ByteString) -> Bool {
    switch location {
    case .local: return true
    case .cloud: return false
    case .automatic: break
    }
    if let address = IPAddress(host) { return address.isPrivate }
    // A name may end with the root's dot.
    let isRooted = host.bytes.last == UInt8(ascii: ".")
    let name = isRooted ? ByteString(Array(host.bytes.dropLast())) : host
    guard name.bytes.contains(UInt8(ascii: ".")) else { return true }
    return localEndings.contains {
      name.bytes.suffix($0.utf8CodeUnitCount).elementsEqual(ByteString($0).bytes)
    }
  }
}

/// What is wrong with one field of a management request.
struct FieldError: Error {
  let field: StaticString
  let problem: ByteString

  init(_ field: StaticString, _ problem: ByteString) {
    self.field = field
    self.problem = problem
  }

  /// `field problem`, such as `weight must be a whole number from 0 to 1000`.
  var sentence: ByteString { ByteString(field) + " " + problem }
}

/// Text forms of a channel's lists, as stored in its record.
enum ChannelFields {
  /// Header names that the gateway sets itself.
  private static let reserved: [StaticString] = [
    "host", "content-length", "transfer-encoding", "connection", "authorization", "te", "upgrade",
    "expect", "keep-alive", "trailer", "proxy-authorization", "content-type", "accept-encoding",
  ]

  /// Lines of `public:upstream`; a name may hold colons after the first (`llama3:8b`), so the
  /// stored form separates with a tab.
  static func mapping(_ text: ByteString) throws(FieldError) -> [ByteString: ByteString] {
    var mapping: [ByteString: ByteString] = [:]
    for line in text.list(separatedBy: 0x0A) {
      guard let (from, to) = line.split(at: 0x09), !from.isEmpty, !to.isEmpty else {
        throw FieldError("model_mapping", "must map a public model name to an upstream's name")
      }
      mapping[from] = to
    }
    return mapping
  }

  /// Lines of `Name: value`, checked, as header lines; without values that are encrypted.
  static func headerLines(_ text: ByteString) throws(FieldError) -> ByteString {
    let lines = Buffer()
    for line in text.list(separatedBy: 0x0A) {
      guard let (name, value) = line.split(at: UInt8(ascii: ":")), isHeaderName(name),
        !value.bytes.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F })
      else { throw FieldError("headers", "must be valid HTTP header fields") }
      let lower = name.lowercased
      for forbidden in reserved where lower == forbidden {
        throw FieldError("headers", "must not set \(name.text), which the gateway sets itself")
      }
      if ChannelSecrets.isSealed(value.trimmed) { continue }
      lines.append(name)
      lines.append(": ")
      lines.append(value.trimmed)
      lines.append("\r\n")
    }
    return lines.byteString
  }

  private static func isHeaderName(_ name: ByteString) -> Bool {
    !name.isEmpty
      && name.bytes.allSatisfy {
        ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == 0x2D || $0 == 0x5F
      }
  }
}

extension FieldError {
  /// A problem composed at run time.
  init(_ field: StaticString, _ problem: String) {
    self.init(field, ByteString(utf8: problem))
  }
}
