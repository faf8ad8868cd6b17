// SPDX-License-Identifier: MIT
import Platform

/// What the program is asked to do.
enum Command: Sendable {
  case serve, checkConfig, doctor, passwd, backup, restore, importing, version, help

  /// All commands as they are typed.
  static let names: [(name: StaticString, command: Command)] = [
    ("serve", .serve), ("check-config", .checkConfig), ("doctor", .doctor),
    ("passwd", .passwd),
    ("backup", .backup), ("restore", .restore), ("import", .importing),
    ("version", .version), ("help", .help),
  ]

  /// The command of that name; nil for none.
  init?(_ word: ByteString) {
    for (name, command) in Command.names where word == name {
      self = command
      return
    }
    return nil
  }

  /// Most words that may follow the command.
  var operandLimit: Int {
    switch self {
    case .passwd, .backup, .restore, .importing, .help: 1
    case .serve, .checkConfig, .doctor, .version: 0
    }
  }
}

/// A read command line; values of options are checked later, together with all other sources.
struct Invocation: Sendable {
  /// An option as `--key value` or `--key=value`.
  struct Option: Sendable {
    /// As it was typed.
    let name: ByteString
    /// As the table of settings has it.
    let key: ByteString
    let value: ByteString
  }

  /// The program as it was started.
  let program: ByteString
  private(set) var command = Command.serve
  /// `passwd`: the user; `backup`, `restore` and `import`: the file; `help`: the command.
  private(set) var operands: [ByteString] = []
  private(set) var options: [Option] = []
  /// `--passphrase-file` of `backup` and `restore`.
  private(set) var passphraseFile: ByteString?
  /// `--without-logs` of `backup`.
  private(set) var leavesOutLogs = false
  /// `import`: which program made the file, when the owner says so.
  private(set) var product: ForeignProduct?
  /// `import`: whether to look only.
  private(set) var isDryRun = false
  private var hasCommand = false

  /// Reads the arguments, the program's name first.
  ///
  /// Throws for unknown commands and options and for missing values, all of them.
  init(arguments: [ByteString]) throws(ConfigurationError) {
    program = arguments.first ?? "tinygateway"
    var problems: [ConfigurationProblem] = []
    var index = 1
    var areOptionsOver = false
    while index < arguments.count {
      let word = arguments[index]
      index += 1
      if areOptionsOver || !word.starts(with: "-") || word.count == 1 {
        addWord(word, &problems)
      } else if word == "--" {
        areOptionsOver = true
      } else if word == "--help" || word == "-h" {
        ask(.help)
      } else if word == "--version" || word == "-V" {
        ask(.version)
      } else if word == "--without-logs" {
        leavesOutLogs = true
      } else if !addImportOption(word, arguments, &index, &problems) {
        addOption(word, arguments, &index, &problems)
      }
    }
    if command == .importing, operands.isEmpty {
      problems.append(
        ConfigurationProblem(.commandLine("import"), "needs a file, as in import one-api.db"))
    }
    if command == .help, let topic = operands.first, Command(topic) == nil {
      problems.append(Invocation.unknownCommand(topic))
    }
    checkTransfer(&problems)
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
  }

  /// What only `backup` and `restore` need, or may have.
  private func checkTransfer(_ problems: inout [ConfigurationProblem]) {
    let isTransfer = command == .backup || command == .restore
    if command == .help { return }
    if isTransfer, operands.isEmpty {
      problems.append(
        ConfigurationProblem(
          .commandLine(command == .backup ? "backup" : "restore"), "needs the name of a file"))
    }
    if passphraseFile != nil, !isTransfer {
      problems.append(
        ConfigurationProblem(.commandLine("--passphrase-file"), "is for backup and restore only"))
    }
    if leavesOutLogs, command != .backup {
      problems.append(ConfigurationProblem(.commandLine("--without-logs"), "is for backup only"))
    }
  }

  /// `--help` behind a command explains that command.
  private mutating func ask(_ asked: Command) {
    if asked == .help, hasCommand, let name = Command.names.first(where: { $0.command == command })
    {
      operands = [ByteString(name.name)]
    }
    command = asked
    hasCommand = true
  }

  private mutating func addWord(_ word: ByteString, _ problems: inout [ConfigurationProblem]) {
    if hasCommand {
      if operands.count < command.operandLimit { return operands.append(word) }
      problems.append(
        ConfigurationProblem(.commandLine(word), "is one word too many; see tinygateway --help"))
    } else if let named = Command(word) {
      command = named
      hasCommand = true
    } else {
      problems.append(Invocation.unknownCommand(word))
    }
  }

  private static func unknownCommand(_ word: ByteString) -> ConfigurationProblem {
    ConfigurationProblem(.commandLine(word)) { message in
      message.append("is no command; write ")
      for (index, entry) in Command.names.enumerated() {
        if index > 0 { message.append(index + 1 < Command.names.count ? ", " : " or ") }
        message.append(entry.name)
      }
    }
  }

  /// Takes an option that only `import` has and that is no setting; false for any other word.
  private mutating func addImportOption(
    _ word: ByteString, _ arguments: [ByteString], _ index: inout Int,
    _ problems: inout [ConfigurationProblem]
  ) -> Bool {
    guard command == .importing else { return false }
    if word == "--dry-run" {
      isDryRun = true
      return true
    }
    guard word == "--product" || word.starts(with: "--product=") else { return false }
    var value = word.split(at: UInt8(ascii: "="))?.after
    if value == nil, index < arguments.count {
      value = arguments[index]
      index += 1
    }
    product = value.flatMap { ForeignProduct($0) }
    if product == nil {
      problems.append(
        ConfigurationProblem(.commandLine("--product"), "must be one-api or new-api"))
    }
    return true
  }

  private mutating func addOption(
    _ word: ByteString, _ arguments: [ByteString], _ index: inout Int,
    _ problems: inout [ConfigurationProblem]
  ) {
    let parts = word.split(at: UInt8(ascii: "="))
    let name = parts?.before ?? word
    let key = Invocation.key(of: name)
    let isKnown = ConfigurationTable.index(of: key) != nil && name.starts(with: "--")
    guard isKnown || name == "--passphrase-file" else {
      problems.append(ConfigurationLayers.unknown(key, .commandLine(name)))
      // A word behind it is most likely its value.
      if parts == nil, index < arguments.count, Command(arguments[index]) == nil,
        !arguments[index].starts(with: "-")
      {
        index += 1
      }
      return
    }
    if let value = parts?.after {
      take(Option(name: name, key: key, value: value), isSetting: isKnown)
    } else if index < arguments.count, !arguments[index].starts(with: "--") {
      take(Option(name: name, key: key, value: arguments[index]), isSetting: isKnown)
      index += 1
    } else {
      problems.append(
        ConfigurationProblem(.commandLine(name), "needs a value, as in --port 3000"))
    }
  }

  private mutating func take(_ option: Option, isSetting: Bool) {
    if isSetting { options.append(option) } else { passphraseFile = option.value }
  }

  /// The setting's key of an option: without its dashes, with underscores.
  private static func key(of name: ByteString) -> ByteString {
    ByteString(
      name.bytes.drop { $0 == UInt8(ascii: "-") }.map {
        $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0
      })
  }
}
