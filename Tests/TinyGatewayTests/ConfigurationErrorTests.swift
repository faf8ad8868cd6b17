// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

struct ConfigurationErrorTests {
  /// Every message must start with file, line and key.
  private func check(
    _ yaml: String, expecting expected: String..., board: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let fixture = try ConfigurationFixture(yaml, board: board)
    switch fixture.load() {
    case .success: Issue.record("accepted: \(yaml)", sourceLocation: sourceLocation)
    case .failure(let failure):
      #expect(
        failure.text == expected.map { $0 + "\n" }.joined(), sourceLocation: sourceLocation)
    }
  }

  @Test func namesFileLineAndKeyOfBadValues() throws {
    try check(
      "# x\nport: 70000\n",
      expecting: "config.yaml:2: port: \"70000\" is not a whole number from 0 to 65535")
    for value in ["-1", "3000x", "0x10", "1e3", "99999999999999999999", "3 000"] {
      try check(
        "port: \(value)",
        expecting: "config.yaml:1: port: \"\(value)\" is not a whole number from 0 to 65535")
    }
    try check(
      "port:", expecting: "config.yaml:1: port: has no value; write a whole number from 0 to 65535")
    try check(
      "log_level: loud",
      expecting: "config.yaml:1: log_level: \"loud\" is not one of debug, info, warn, error")
    try check(
      "page_size: 3000",
      expecting: "config.yaml:1: page_size: \"3000\" is not a power of two from 512 to 65536")
    try check(
      "listen: localhost",
      expecting: "config.yaml:1: listen: \"localhost\" is not a numeric address such as 0.0.0.0, "
        + "127.0.0.1 or ::")
    try check(
      "trusted_proxies: 10.0.0.0/33",
      expecting: "config.yaml:1: trusted_proxies: \"10.0.0.0/33\" is not a list of addresses and "
        + "blocks such as 10.0.0.0/8, fd00::/8")
    for value in ["all", "399", "500-600", "502-501", "429;500"] {
      try check(
        "retry_statuses: \(value)",
        expecting: "config.yaml:1: retry_statuses: \"\(value)\" is not a list of statuses from "
          + "400 to 599 such as 429, 500-599")
    }
    try check(
      "breaker_error_percent: 101",
      expecting: "config.yaml:1: breaker_error_percent: \"101\" is not a whole number from 0 to 100"
    )
  }

  @Test func reportsEveryProblem() throws {
    try check(
      "port: a\nlog_lvl: info\nretries: 11\n",
      expecting: "config.yaml:1: port: \"a\" is not a whole number from 0 to 65535",
      "config.yaml:2: log_lvl: there is no such setting; did you mean log_level?",
      "config.yaml:3: retries: \"11\" is not a whole number from 0 to 10",
      "board.yaml:2: retries: \"x\" is not a whole number from 0 to 10",
      board: "\nretries: x\n")
  }

  @Test func suggestsTheNearestKey() throws {
    try check(
      "Port: 1", expecting: "config.yaml:1: Port: there is no such setting; did you mean port?")
    try check(
      "memory-limit-mb: 1",
      expecting: "config.yaml:1: memory-limit-mb: there is no such setting; did you mean "
        + "memory_limit_mb?")
    try check("zzzzzzzzzz: 1", expecting: "config.yaml:1: zzzzzzzzzz: there is no such setting")
  }

  @Test func refusesTestsThatAreTooFrequent() throws {
    for value in ["1", "59999"] {
      try check(
        "channel_test_interval_ms: \(value)",
        expecting: "config.yaml:1: channel_test_interval_ms: is too short, since each test costs "
          + "money; write at least 60000, or 0 for never")
    }
    for value in ["0", "60000", "86400000"] {
      let fixture = try ConfigurationFixture("channel_test_interval_ms: \(value)")
      #expect(try fixture.load().get().channelTestIntervalMilliseconds == Int64(value))
    }
  }

  @Test func keepsSecretsOutOfMessages() throws {
    try check(
      "initial_root_password: geheim",
      expecting: "config.yaml:1: initial_root_password: is not empty or text of 8 to 128 bytes "
        + "without control characters")
    try check(
      "metrics_token: geheim",
      expecting: "config.yaml:1: metrics_token: is not empty or text of 16 to 256 bytes "
        + "without control characters")
  }

  @Test func refusesKeysInTheWrongPlace() throws {
    try check(
      "file_system: ext4",
      expecting: "config.yaml:1: file_system: a fact about the board; it is set in the board file "
        + "only")
    try check(
      "data_dir: /tmp",
      expecting: "config.yaml:1: data_dir: cannot be set here; use --data-dir or "
        + "TINYGATEWAY_DATA_DIR")
    try check(
      "",
      expecting: "board.yaml:1: initial_root_password: a secret does not belong here, where others "
        + "can read it; set it in config.yaml or as TINYGATEWAY_INITIAL_ROOT_PASSWORD",
      board: "initial_root_password: 12345678")
  }

  @Test func refusesWhatDoesNotFitThePartition() throws {
    let small =
      "partition_kb: 512\nlog_limit_mb: 0\nreserve_kb: 64\njournal_size_limit_kb: 64\n"
      + "page_size: 1024\n"
    try check(
      "",
      expecting: "board.yaml:6: journal_mode: wal fills a partition of 1 MiB or less before it is "
        + "folded back; write persist, with page_size: 1024 and history: memory",
      board: small + "journal_mode: wal")
    try check(
      "log_limit_mb: 2\nreserve_kb: 1024\njournal_size_limit_kb: 1000",
      expecting:
        "config.yaml:3: journal_size_limit_kb: 1000 is too much for partition_kb; write at most 64",
      "config.yaml:2: reserve_kb: 1024 is too much for partition_kb; write at most 128",
      "config.yaml:1: log_limit_mb: is more than half of partition_kb; lower it, or keep the log "
        + "out of the flash with history: memory",
      board: small + "journal_mode: persist")
    try check(
      "wal_autocheckpoint_pages: 100",
      expecting: "config.yaml:1: wal_autocheckpoint_pages: 100 is too much for partition_kb; "
        + "write at most 64",
      board: "partition_kb: 2048\njournal_size_limit_kb: 256\nlog_limit_mb: 1")
    try check(
      "history: memory\nmemory_limit_mb: 32\nlog_limit_mb: 5",
      expecting: "config.yaml:3: log_limit_mb: 5 is too much for memory_limit_mb; write at most 4")
  }

  @Test func refusesImpossiblePairs() throws {
    try check(
      "locking_mode: normal",
      expecting:
        "config.yaml:1: locking_mode: normal does not work with journal_mode wal on jffs2; "
        + "write exclusive, or use journal_mode: persist",
      board: "file_system: jffs2")
    try check(
      "journal_mode: memory",
      expecting: "config.yaml:1: journal_mode: memory and off lose the database when power is cut; "
        + "write wal, or persist")
    try check(
      "synchronous: NORMAL",
      expecting: "config.yaml:1: synchronous: off and normal lose acknowledged settings when power "
        + "is cut; write full")
    try check(
      "journal_mode: delete",
      expecting:
        "config.yaml:1: journal_mode: delete needs synchronous: extra, or a power cut takes "
        + "back what was acknowledged; write wal or persist, or add synchronous: extra")
    try check(
      "tls_port: 3443\ntls_certificate: /dev/null",
      expecting: "config.yaml:2: tls_certificate: needs tls_key, the file with its key")
    try check(
      "tls_port: 3443\ntls_key: /dev/null",
      expecting:
        "config.yaml:2: tls_key: needs tls_certificate, the file with the certificate chain")
    try check(
      "tls_port: 3000", expecting: "config.yaml:1: tls_port: is the same as port; choose another")
    try check(
      "ca_file: /nonexistent/ca.pem",
      expecting:
        "config.yaml:1: ca_file: cannot read /nonexistent/ca.pem: No such file or directory; "
        + "correct the path or make the file readable")
  }

  @Test func refusesAmountsBeyondTheMemory() throws {
    try check(
      "memory_limit_mb: 24\nbody_held_limit_kb: 9000",
      expecting:
        "config.yaml:2: body_held_limit_kb: 9000 is too much for memory_limit_mb 24; write "
        + "at most 8192, or raise memory_limit_mb")
    try check(
      "request_limit: 5000",
      expecting: "config.yaml:1: request_limit: 5000 is too much for memory_limit_mb 48; write at "
        + "most 426, or raise memory_limit_mb")
    try check(
      "body_held_limit_kb: 9000\nbody_limit_mb: 8",
      expecting: "config.yaml:1: body_held_limit_kb: is more than body_limit_mb, the largest body; "
        + "lower it or raise body_limit_mb")
  }

  @Test func namesVariablesAndOptions() throws {
    let fixture = try ConfigurationFixture("")
    func check(_ words: [String], _ environment: [String], _ expected: String) {
      switch fixture.load(words, environment: environment) {
      case .success: Issue.record("accepted: \(words) \(environment)")
      case .failure(let failure): #expect(failure.text == expected + "\n")
      }
    }
    check(
      [], ["PORT=x"], "environment: PORT: \"x\" is not a whole number from 0 to 65535")
    check(
      [], ["ONEAPI_LOG_LEVEL=x"],
      "environment: ONEAPI_LOG_LEVEL: \"x\" is not one of debug, info, warn, error")
    check(
      [], ["TINYGATEWAY_PROT=1"],
      "environment: TINYGATEWAY_PROT: there is no such setting; did you mean TINYGATEWAY_PORT?")
    check(
      ["--retries", "x"], [],
      "command line: --retries: \"x\" is not a whole number from 0 to 10")
    check(
      ["--initial-root-password=12345678"], [],
      "command line: --initial-root-password: a secret does not belong here, where others can read "
        + "it; set it in config.yaml or as TINYGATEWAY_INITIAL_ROOT_PASSWORD")
    check(
      ["--config", "/nonexistent/c.yaml"], [],
      "/nonexistent/c.yaml: cannot read the file: No such file or directory; correct the path or "
        + "make the file readable")
  }

  @Test func namesTheFoldersWhereABoardWasSought() throws {
    let fixture = try ConfigurationFixture("")
    guard case .failure(let failure) = fixture.load(["--board", "c64"]) else {
      Issue.record("there is no such board")
      return
    }
    #expect(
      failure.text.hasPrefix("command line: --board: there is no board \"c64\" in board-conf"))
  }
}
