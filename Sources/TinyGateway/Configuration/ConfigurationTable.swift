// SPDX-License-Identifier: MIT
import Platform
import Store

/// All keys, in the order of `config.yaml` and `--help`: adding one is a row and a field.
enum ConfigurationTable {
  /// A day, the longest time that any setting takes.
  static let day: Int64 = 86_400_000
  static let timeRange: ClosedRange<Int64> = 100...day

  static let rows: [ConfigurationRow] =
    network + amounts + times + traffic + storage + backups + places

  private static let network: [ConfigurationRow] = [
    ConfigurationRow(
      "listen", .address, default: "0.0.0.0", "Address to listen on; \"::\" takes IPv6 and IPv4.",
      section: "Network"
    ) { $0.listen = IPAddress($1.text) ?? .anyIPv4 },
    ConfigurationRow(
      "port", .number, in: 0...65535, default: "3000", "TCP port for HTTP; 0 takes a free one."
    ) { $0.port = $1.int },
    ConfigurationRow(
      "tls_port", .number, in: 0...65535, default: "0", "TCP port for HTTPS; 0 switches it off."
    ) { $0.tlsPort = $1.int },
    ConfigurationRow(
      "tls_certificate", .path, in: 1...1024, default: "",
      "PEM file with the certificate chain for tls_port; empty: self-signed, made at first start.",
      isReloadable: true
    ) { $0.tlsCertificate = $1.text },
    ConfigurationRow(
      "tls_key", .path, in: 1...1024, default: "", "PEM file with the key of tls_certificate.",
      isReloadable: true
    ) { $0.tlsKey = $1.text },
    ConfigurationRow(
      "ca_file", .path, in: 1...1024, default: "",
      "PEM bundle of the authorities trusted upstream; empty: the system's, else the built-in.",
      isReloadable: true
    ) { $0.caFile = $1.text },
    ConfigurationRow(
      "trusted_proxies", .blocks, default: "",
      "Reverse proxies whose X-Forwarded-For is believed, as A, B/BITS; empty: none.",
      isReloadable: true
    ) { $0.trustedProxies = $1.blocks },
    ConfigurationRow(
      "cors", .choice, choices: "false|true", default: "false",
      "Whether browsers may call the clients' APIs from pages of any site.", isReloadable: true
    ) { $0.isOpenToAnySite = $1.int == 1 },
    ConfigurationRow(
      "upstream_private", .blocks, choices: "allow|deny", default: "allow",
      "Whether channels may reach loopback and private addresses, or the only ones they may.",
      isReloadable: true
    ) { $0.upstreamPrivate = UpstreamPrivate($1) },
    ConfigurationRow(
      "time_zone", .zone, default: "",
      "Where days and months begin, such as Asia/Shanghai or CST-8; empty: the system's, or UTC.",
      section: "Time zone"
    ) { $0.timeZone = $1.text },
    ConfigurationRow(
      "log_level", .choice, choices: "debug|info|warn|error", default: "info",
      "How much is logged.",
      isReloadable: true, section: "Log and login"
    ) { $0.logLevel = LogLevel(rawValue: $1.int) ?? .info },
    ConfigurationRow(
      "initial_root_password", .text, in: 8...128, default: "",
      "Replaces the first password of root, for images made in bulk; used once, at first start.",
      scope: .secret
    ) { $0.initialRootPassword = $1.text },
    ConfigurationRow(
      "password_rounds", .number, in: 0...10_000_000, default: "0",
      "PBKDF2 rounds for new passwords, 10000 or more; 0: measured once, for 0.2 s of this device.",
      isReloadable: true
    ) { $0.chosenPasswordRounds = $1.int },
    ConfigurationRow(
      "session_idle_hours", .number, in: 1...8760, default: "168",
      "A login of the web pages ends so long after its last use.", isReloadable: true
    ) { $0.sessionIdleHours = $1.number },
    ConfigurationRow(
      "session_hours", .number, in: 1...8760, default: "720",
      "A login of the web pages ends so long after it was made.", isReloadable: true
    ) { $0.sessionHours = $1.number },
    ConfigurationRow(
      "metrics_token", .text, in: 16...256, default: "",
      "Bearer token with which Prometheus may read /metrics; empty: only administrators' logins.",
      scope: .secret, isReloadable: true
    ) { $0.metricsToken = $1.text },
    ConfigurationRow(
      "metrics_addresses", .blocks, default: "",
      "Addresses that may read /metrics without a token, as A, B/BITS; empty: none.",
      isReloadable: true
    ) { $0.metricsAddresses = $1.blocks },
  ]

  private static let amounts: [ConfigurationRow] = [
    ConfigurationRow(
      "memory_limit_mb", .number, in: 12...1_048_576, default: "48",
      "Resident memory of the whole gateway; what the amounts with default 0 follow from.",
      section: "Amounts"
    ) { $0.memoryLimitMegabytes = $1.int },
    ConfigurationRow(
      "connection_limit", .number, in: 0...1_000_000, default: "0",
      "Client connections at once; 0: from memory_limit_mb."
    ) { $0.connectionLimit = $1.int },
    ConfigurationRow(
      "connections_per_address", .number, in: 0...1_000_000, default: "0",
      "Client connections at once from one address; 0: from memory_limit_mb."
    ) { $0.connectionsPerAddress = $1.int },
    ConfigurationRow(
      "request_limit", .number, in: 0...1_000_000, default: "0",
      "Requests in work at once, further ones get 503; 0: from memory_limit_mb."
    ) { $0.requestLimit = $1.int },
    ConfigurationRow(
      "body_held_limit_kb", .number, in: 16...1_048_576, default: "8192",
      "Part of one request body that is held in memory; larger ones are streamed through.",
      isReloadable: true
    ) { $0.bodyHeldLimitKilobytes = $1.int },
    ConfigurationRow(
      "body_limit_mb", .number, in: 1...4096, default: "32",
      "Largest request body; larger ones get 413.",
      isReloadable: true
    ) { $0.bodyLimitMegabytes = $1.int },
    ConfigurationRow(
      "upload_limit_mb", .number, in: 1...4096, default: "32",
      "Largest form with files, such as recordings; it is streamed through, larger ones get 413.",
      isReloadable: true
    ) { $0.uploadLimitMegabytes = $1.int },
    ConfigurationRow(
      "pool_idle_per_upstream", .number, in: 0...10_000, default: "0",
      "Idle connections kept for one upstream; 0: from memory_limit_mb."
    ) { $0.poolIdlePerUpstream = $1.int },
  ]

  private static let times: [ConfigurationRow] = [
    ConfigurationRow(
      "header_timeout_ms", .number, in: timeRange, default: "10000",
      "A client's request head, in total.",
      isReloadable: true, section: "Times in milliseconds"
    ) { $0.headerTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "body_idle_timeout_ms", .number, in: timeRange, default: "30000",
      "Silence within a request body.",
      isReloadable: true
    ) { $0.bodyIdleTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "keep_alive_timeout_ms", .number, in: timeRange, default: "60000",
      "An idle client connection waits so long for its next request.", isReloadable: true
    ) { $0.keepAliveTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "write_timeout_ms", .number, in: timeRange, default: "60000",
      "A peer may refuse to take bytes so long.", isReloadable: true
    ) { $0.writeTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "connect_timeout_ms", .number, in: timeRange, default: "10000",
      "Name look-up and connecting to an upstream, unless the channel says otherwise.",
      isReloadable: true
    ) { $0.connectTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "first_byte_timeout_ms", .number, in: timeRange, default: "60000",
      "An upstream's first byte, unless the channel says otherwise.", isReloadable: true
    ) { $0.firstByteTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "stream_idle_timeout_ms", .number, in: timeRange, default: "60000",
      "Silence within an upstream's answer, unless the channel says otherwise.",
      isReloadable: true
    ) { $0.streamIdleTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "request_timeout_ms", .number, in: timeRange, default: "600000",
      "A relayed request in total.",
      isReloadable: true
    ) { $0.requestTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "heartbeat_ms", .number, in: 0...600_000, default: "0",
      "Comments sent to streaming clients while the upstream thinks; 0: none.",
      isReloadable: true
    ) { $0.heartbeatMilliseconds = $1.number },
    ConfigurationRow(
      "channel_test_interval_ms", .number, in: 0...day, default: "0",
      "Each enabled channel is tested so often, with a request that costs money; 0: never.",
      isReloadable: true
    ) { $0.channelTestIntervalMilliseconds = $1.number },
    ConfigurationRow(
      "pool_idle_timeout_ms", .number, in: timeRange, default: "55000",
      "An idle upstream connection is kept so long.", isReloadable: true
    ) { $0.poolIdleTimeoutMilliseconds = $1.number },
    ConfigurationRow(
      "stop_timeout_ms", .number, in: 0...day, default: "10000",
      "Streams may go on so long after SIGTERM.", isReloadable: true
    ) { $0.stopTimeoutMilliseconds = $1.number },
  ]

  private static let places: [ConfigurationRow] = [
    ConfigurationRow(
      "data_dir", .text, in: 1...1024, default: "./data",
      "Directory of config.yaml, db.db and keys.",
      scope: [.commandLine, .environment, .board], section: "Places"
    ) { $0.dataDirectory = $1.text },
    ConfigurationRow(
      "config", .text, in: 1...1024, default: "", "Another file in place of config.yaml.",
      scope: [.commandLine, .environment]
    ) { $0.configurationFile = $1.text },
    ConfigurationRow(
      "board", .text, in: 1...1024, default: "",
      "Board file, or a name in board-configs; empty: board.yaml where it is installed.",
      scope: [.commandLine, .environment]
    ) { $0.boardFile = $1.text },
    ConfigurationRow(
      "file_system", .choice,
      choices: "unknown|ext4|f2fs|jffs2|ubifs|btrfs|xfs|tmpfs", default: "unknown",
      "What lies under data_dir; below an overlay, the writable layer.", scope: .board,
      section: "Facts about the board"
    ) { $0.fileSystem = FileSystem(rawValue: $1.int) ?? .unknown },
    ConfigurationRow(
      "partition_kb", .number, in: 0...Int64(Int32.max), default: "0",
      "Size of the writable partition; 0: unknown. What does not fit it is refused.",
      scope: .board
    ) { $0.partitionKilobytes = $1.number },
    ConfigurationRow(
      "erase_kb", .number, in: 0...1024, default: "0",
      "Erase block of the flash, from the board's /proc/mtd; for images.", scope: .board
    ) { _, _ in },
    ConfigurationRow(
      "storage_medium", .choice, choices: "disk|spinor|spinand|emmc|sd|ram", default: "disk",
      "What the data directory is stored on; for people and packages.", scope: .board
    ) { _, _ in },
    ConfigurationRow(
      "target", .choice, choices: "x86_64|aarch64|armv7|armv6|armv5te", default: "x86_64",
      "Which release binary the board runs; for building.", scope: .board
    ) { _, _ in },
    ConfigurationRow(
      "cpu_flags", .text, in: 1...256, default: "",
      "Compiler flags for the C sources; for building.",
      scope: .board
    ) { _, _ in },
    ConfigurationRow(
      "init_system", .choice, choices: "systemd|procd|busybox|none", default: "none",
      "What starts the gateway; for packages.", scope: .board
    ) { _, _ in },
    ConfigurationRow(
      "log_place", .choice, choices: "journal|logd|syslog|none", default: "none",
      "Where the init script sends standard output, the gateway's log; for packages.",
      scope: .board
    ) { _, _ in },
  ]
}
