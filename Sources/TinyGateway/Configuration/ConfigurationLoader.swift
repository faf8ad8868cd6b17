// SPDX-License-Identifier: MIT
import Platform

/// Reads all sources: command line > environment > `config.yaml` > board file > built-in default.
struct ConfigurationLoader {
  let invocation: Invocation
  /// `NAME=value` each.
  let environment: [ByteString]
  /// Where boards are looked for.
  var boards: BoardLookup
  /// Read in the place of what `config.yaml` holds.
  var fileText: ByteString?

  init(invocation: Invocation, environment: [ByteString]) {
    self.invocation = invocation
    self.environment = environment
    boards = BoardLookup(program: invocation.program)
  }

  /// Whether missing things are made: not by commands that only look.
  private var isCreating: Bool {
    switch invocation.command {
    case .serve, .passwd, .restore: true
    case .importing: !invocation.isDryRun
    case .checkConfig, .doctor, .backup, .version, .help: false
    }
  }

  /// Everything in force; makes the data directory and `config.yaml` where they are missing.
  ///
  /// Throws all problems found in all sources.
  func load() throws(ConfigurationError) -> Configuration {
    var layers = ConfigurationLayers()
    for option in invocation.options.reversed() {  // the last of several wins
      layers.add(option.key, option.value, from: .commandLine(option.name))
    }
    EnvironmentVariables.add(environment, to: &layers)

    let boardFile = findBoard(&layers)
    var boardLayers = ConfigurationLayers()
    if let boardFile { boardLayers.add(file: .board(boardFile)) }
    let place =
      layers.setting("data_dir") ?? boardLayers.setting("data_dir")
      ?? ConfigurationSetting(value: defaultDirectory, origin: .builtIn("data_dir"))
    let directory = DataDirectory.normalized(place.value.text)
    if let problem = DataDirectory.prepare(place, directory, isCreating: isCreating) {
      layers.note(problem)
    }

    var warnings: [ByteString] = []
    let file = readFile(in: directory, boardLayers, &layers, &warnings)
    if layers.setting("memory_limit_mb") != nil { boardLayers.forgetAmounts() }
    layers.addMissing(from: boardLayers)
    guard layers.problems.isEmpty else { throw ConfigurationError(problems: layers.problems) }
    layers.resolvePaths(in: directory)
    var configuration = Configuration(layers)
    configuration.dataDirectory = directory
    configuration.configurationFile = file
    configuration.fileChecksum = layers.fileChecksum
    configuration.boardFile = boardFile ?? .empty
    configuration.warnings = warnings
    let problems = ConfigurationChecks.problems(in: configuration)
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    return configuration
  }

  private var defaultDirectory: ConfigurationValue {
    guard let index = ConfigurationTable.index(of: "data_dir") else { return .text("./data") }
    return ConfigurationTable.rows[index].defaultValue
  }

  // Board

  /// The path of the board file that applies; nil for none.
  private func findBoard(_ layers: inout ConfigurationLayers) -> ByteString? {
    if let wanted = layers.setting("board"), !wanted.value.isEmpty {
      if let path = boards.path(of: wanted.value.text) { return path }
      let folders = boards.folders
      layers.note(
        ConfigurationProblem(wanted.origin) { message in
          message.append("there is no board ")
          message.appendQuoted(wanted.value.text)
          message.append(" in ")
          for (index, folder) in folders.enumerated() {
            if index > 0 { message.append(", ") }
            message.append(folder)
          }
          message.append("; give the path of a board file")
        })
      return nil
    }
    return boards.installedFile(
      dataDirectory: layers.setting("data_dir").map { DataDirectory.normalized($0.value.text) },
      defaultDirectory: defaultDirectory.text)
  }

  // config.yaml

  /// Reads the file, or makes it when it is the usual one and missing; returns its path.
  private func readFile(
    in directory: ByteString, _ board: ConfigurationLayers,
    _ layers: inout ConfigurationLayers, _ warnings: inout [ByteString]
  ) -> ByteString {
    let other = layers.setting("config")?.value.text ?? .empty
    let path = other.isEmpty ? directory + "/config.yaml" : other
    if let fileText {
      layers.add(fileText, from: .file(path))
    } else if !other.isEmpty || File.exists(path) {
      layers.add(file: .file(path))
    } else if isCreating && layers.problems.isEmpty && board.problems.isEmpty {
      let text = ConfigurationTemplate.text(defaults: board)
      do throws(SystemError) {
        try File.writeDurably(text, to: path)
        layers.add(text, from: .file(path))
      } catch {
        let warning = Buffer()
        warning.append("cannot write ")
        warning.append(path)
        warning.append(" (")
        warning.append(text: error.text)
        warning.append("); going on without the file")
        warnings.append(warning.byteString)
      }
    }
    return path
  }
}

extension ConfigurationLayers {
  /// Adds the settings of a file that must be there.
  @inline(never)
  mutating func add(file: ConfigurationOrigin) {
    let content: ByteString
    do throws(SystemError) {
      if let failure = ProcessContext.readingFailure(file.place) { throw failure }
      content = try File.read(file.place, limit: FlatYAML.fileByteCount)
    } catch {
      let problem = ConfigurationProblem(file) { message in
        message.append("cannot read the file: ")
        message.append(text: error.text)
        message.append("; correct the path or make the file readable")
      }
      return note(problem)
    }
    add(content, from: file)
  }

  /// Adds the settings of a file's text.
  mutating func add(_ content: ByteString, from file: ConfigurationOrigin) {
    if file.layer == .file { fileChecksum = CRC32.of(content.bytes.span) }
    let (entries, problems) = FlatYAML.parse(content, from: file)
    note(problems)
    for entry in entries {
      add(entry.key, entry.value, from: file.at(line: entry.line, name: entry.key))
    }
  }

  /// Takes the settings that no stronger source has, and all problems.
  mutating func addMissing(from weaker: ConfigurationLayers) {
    note(weaker.problems)
    for index in settings.indices where settings[index] == nil {
      fill(index, with: weaker.settings[index])
    }
  }

  /// Drops the amounts that a board file chose for its own memory limit.
  mutating func forgetAmounts() {
    let amounts: [StaticString] = [
      "connection_limit", "request_limit", "body_held_limit_kb", "cache_kb",
    ]
    for key in amounts {
      if let index = ConfigurationTable.index(of: ByteString(key)) { fill(index, with: nil) }
    }
  }

  /// Lets relative paths in files start at the data directory.
  ///
  /// An init script's working directory is anybody's guess; options and variables are relative to
  /// where the user is.
  mutating func resolvePaths(in directory: ByteString) {
    for (index, row) in ConfigurationTable.rows.enumerated() where row.kind == .path {
      guard let setting = settings[index], !setting.value.isEmpty,
        setting.origin.layer == .file || setting.origin.layer == .board,
        setting.value.text[0] != UInt8(ascii: "/")
      else { continue }
      let path = directory + "/" + setting.value.text
      fill(index, with: ConfigurationSetting(value: .text(path), origin: setting.origin))
    }
  }
}

/// Settings from environment variables.
enum EnvironmentVariables {
  /// Adds what concerns the gateway of `NAME=value` entries; an empty value counts as not set.
  ///
  /// Unknown `TINYGATEWAY_…` names are problems, except for those that Kubernetes makes for a
  /// service called tinygateway.
  static func add(_ entries: [ByteString], to layers: inout ConfigurationLayers) {
    var general: [(key: ByteString, value: ByteString, name: ByteString)] = []
    for entry in entries {
      guard let (name, value) = entry.split(at: UInt8(ascii: "=")), !value.isEmpty else { continue }
      if name == "PORT" {
        general.append(("port", value, name))
      } else if name == "ONEAPI_LOG_LEVEL" {
        general.append(("log_level", value, name))
      } else if name == "TZ" {
        if let zone = zone(value) { general.append(("time_zone", zone, name)) }
      } else if name.starts(with: "TINYGATEWAY_"), !isFromKubernetes(name, value) {
        let key = ByteString(Array(name.bytes.dropFirst(12))).lowercased
        layers.add(key, value, from: .environment(name))
      }
    }
    // Our own names are stronger than the general ones.
    for (key, value, name) in general { layers.add(key, value, from: .environment(name)) }
  }

  /// What `TZ` names; a file stands for the zone that is its name, `/etc/localtime` for the
  /// system's, nil.
  private static func zone(_ value: ByteString) -> ByteString? {
    let hasColon = value.bytes.first == UInt8(ascii: ":")
    let path = ByteString(Array(value.bytes.dropFirst(hasColon ? 1 : 0)))
    if path == "/etc/localtime" { return nil }
    let folder: StaticString = "/usr/share/zoneinfo/"
    guard path.starts(with: folder) else { return value }
    return ByteString(Array(path.bytes.dropFirst(folder.utf8CodeUnitCount)))
  }

  private static func isFromKubernetes(_ name: ByteString, _ value: ByteString) -> Bool {
    name.starts(with: "TINYGATEWAY_SERVICE_") || name.starts(with: "TINYGATEWAY_PORT_")
      || (name == "TINYGATEWAY_PORT" && value.starts(with: "tcp://"))
  }
}
