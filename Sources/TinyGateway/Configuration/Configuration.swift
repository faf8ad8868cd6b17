// SPDX-License-Identifier: MIT
import Platform
import Store

/// All settings in force, typed; `ConfigurationTable` says what each means.
///
/// Fields start empty: `ConfigurationLoader` sets every one through its row.
struct Configuration: Sendable {
  /// Directory of `config.yaml`, `db.db` and keys, without a slash at its end.
  var dataDirectory: ByteString = .empty
  /// The file that was read or made.
  var configurationFile: ByteString = .empty
  /// Of its text (`CRC32`); 0 also where there was none.
  var fileChecksum: UInt32 = 0
  /// The board file that was read; empty for none.
  var boardFile: ByteString = .empty
  var fileSystem = FileSystem.unknown
  /// Of the writable partition, as the board file says; 0 when it does not.
  var partitionKilobytes: Int64 = 0
  /// Files that may be open at once, as the system says when it is fewer than are wanted.
  var descriptorLimit = Int.max
  /// What went wrong without being worth not to start; for the log.
  var warnings: [ByteString] = []

  var listen = IPAddress.anyIPv4
  var port = 0
  var tlsPort = 0
  var tlsCertificate: ByteString = .empty
  var tlsKey: ByteString = .empty
  var caFile: ByteString = .empty
  var trustedProxies: [AddressBlock] = []
  /// Whether pages of any site may call the clients' APIs.
  var isOpenToAnySite = false
  var upstreamPrivate = UpstreamPrivate.allow
  /// Name or rule of the time zone; empty for the system's.
  var timeZone: ByteString = .empty
  var logLevel = LogLevel.info
  var initialRootPassword: ByteString = .empty
  /// 0: as measured; see `Gateway.passwordRounds`.
  var chosenPasswordRounds = 0
  var sessionIdleHours: Int64 = 0
  var sessionHours: Int64 = 0
  var metricsToken: ByteString = .empty
  var metricsAddresses: [AddressBlock] = []

  var memoryLimitMegabytes = 0
  var connectionLimit = 0
  var connectionsPerAddress = 0
  var requestLimit = 0
  var bodyHeldLimitKilobytes = 0
  var bodyLimitMegabytes = 0
  var uploadLimitMegabytes = 0
  var poolIdlePerUpstream = 0

  var headerTimeoutMilliseconds: Int64 = 0
  var bodyIdleTimeoutMilliseconds: Int64 = 0
  var keepAliveTimeoutMilliseconds: Int64 = 0
  var writeTimeoutMilliseconds: Int64 = 0
  var connectTimeoutMilliseconds: Int64 = 0
  var firstByteTimeoutMilliseconds: Int64 = 0
  var streamIdleTimeoutMilliseconds: Int64 = 0
  var requestTimeoutMilliseconds: Int64 = 0
  var heartbeatMilliseconds: Int64 = 0
  var channelTestIntervalMilliseconds: Int64 = 0
  var poolIdleTimeoutMilliseconds: Int64 = 0
  var stopTimeoutMilliseconds: Int64 = 0

  var retries = 0
  var retryIntervalMilliseconds: Int64 = 0
  var retryStatuses = RetryStatuses()
  var retryDeadlineMilliseconds: Int64 = 0
  var retryAfterLimitMilliseconds: Int64 = 0
  var failoverConnectMilliseconds: Int64 = 0
  var failoverFirstByteMilliseconds: Int64 = 0
  var queueLimit = 0
  var queueTimeoutMilliseconds: Int64 = 0
  var exposesChannel = false
  /// Whether log rows hold the client's address.
  var logsAddresses = true
  var breaker = CircuitBreaker.Policy()

  /// How the database lies on its medium; with the intervals of the write batch.
  var storage = StoreSettings()

  /// Folder of scheduled backups; empty for our own.
  var backupDirectory: ByteString = .empty
  var backupIntervalHours: Int64 = 0
  var backupKeep = 0
  var backupsHoldLogs = false

  /// By row: the value in force and where it came from.
  private(set) var settings: [ConfigurationSetting] = []

  /// Puts the gathered settings over the built-in defaults; relations between them are not
  /// checked here.
  init(_ layers: ConfigurationLayers) {
    for (row, setting) in zip(ConfigurationTable.rows, layers.settings) {
      let inForce =
        setting
        ?? ConfigurationSetting(
          value: row.defaultValue, origin: .builtIn(ByteString(row.name)))
      row.set(&self, inForce.value)
      settings.append(inForce)
    }
  }

  /// The path of a file in the data directory.
  func path(_ name: StaticString) -> ByteString { dataDirectory + "/" + ByteString(name) }

  /// The board file's name without folder and extension; empty without a board.
  var boardName: ByteString {
    let start = (boardFile.bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
    let name = ByteString(Array(boardFile.bytes[start...]))
    let isYAML = name.count > 5 && name.bytes.suffix(5).elementsEqual(ByteString(".yaml").bytes)
    return isYAML ? ByteString(Array(name.bytes.dropLast(5))) : name
  }

  /// Where the value of a key came from.
  func origin(of key: StaticString) -> ConfigurationOrigin {
    guard let index = ConfigurationTable.index(of: ByteString(key)) else {
      return .builtIn(ByteString(key))
    }
    return settings[index].origin
  }

  /// Whether nobody set the key.
  func isDefault(_ key: StaticString) -> Bool { origin(of: key).layer == .builtIn }

  /// Takes from `new` what may change in a running gateway.
  ///
  /// Throws what makes the mixture impossible; the configuration in force stays then.
  /// - Returns: the configuration to use, and the changed keys that need a restart.
  func reloaded(
    from new: Configuration
  ) throws(ConfigurationError) -> (configuration: Configuration, ignoredKeys: [ByteString]) {
    var mixed = self
    var ignored: [ByteString] = []
    for (index, row) in ConfigurationTable.rows.enumerated() {
      let setting = new.settings[index]
      if settings[index].value != setting.value {
        guard row.isReloadable else {
          ignored.append(ByteString(row.name))
          continue
        }
        row.set(&mixed, setting.value)
      }
      mixed.settings[index] = setting
    }
    mixed.warnings = new.warnings
    mixed.fileChecksum = new.fileChecksum
    let problems = ConfigurationChecks.problems(in: mixed)
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    return (mixed, ignored)
  }

  /// Every key with its value in force and its source, for `check-config`; secrets are masked.
  var summary: ByteString {
    let buffer = Buffer()
    for (label, path) in [("file", configurationFile), ("board", boardFile)]
      as [(StaticString, ByteString)]
    {
      buffer.append("# ")
      buffer.append(label)
      buffer.append(": ")
      if path.isEmpty { buffer.append("none") } else { buffer.append(path) }
      buffer.append("\n")
    }
    for (row, setting) in zip(ConfigurationTable.rows, settings) {
      let origin = setting.origin
      buffer.append(ByteString(row.name))
      buffer.append(": ")
      if row.isSecret && !setting.value.isEmpty {
        buffer.append("\"***\"")
      } else {
        row.append(setting.value, to: buffer)
      }
      buffer.append("  # ")
      buffer.append(origin.place)
      if origin.line > 0 {
        buffer.append(":")
        buffer.append(decimal: origin.line)
      }
      buffer.append("\n")
    }
    return buffer.byteString
  }
}

/// The file system under the data directory, as the board file says.
enum FileSystem: Int, Sendable {
  case unknown, ext4, f2fs, jffs2, ubifs, btrfs, xfs, tmpfs
}

/// Whether channels may lead to loopback and private addresses.
enum UpstreamPrivate: Equatable, Sendable {
  case allow
  case deny
  case only([AddressBlock])

  /// Reads a checked value of the key.
  init(_ value: ConfigurationValue) {
    switch value {
    case .number(let index): self = index == 0 ? .allow : .deny
    case .blocks(let blocks): self = blocks.isEmpty ? .deny : .only(blocks)
    case .text: self = .deny
    }
  }

  /// Whether a channel may connect to a loopback or private address.
  func permits(_ address: IPAddress) -> Bool {
    switch self {
    case .allow: true
    case .deny: false
    case .only(let blocks): blocks.contains { $0.contains(address) }
    }
  }
}

extension IPAddress {
  /// The address 255.255.255.255: everyone in the network that a packet leaves on.
  static let everyone: IPAddress = {
    guard let address = IPAddress("255.255.255.255") else {
      preconditionFailure("255.255.255.255 is an address")
    }
    return address
  }()

  /// The address 0.0.0.0, which stands for all addresses of this machine.
  static let anyIPv4: IPAddress = {
    guard let address = IPAddress("0.0.0.0") else { preconditionFailure("0.0.0.0 is an address") }
    return address
  }()
}
