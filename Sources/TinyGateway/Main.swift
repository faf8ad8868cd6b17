// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform
import Store

/// Where the program begins: reads the invocation and runs its command.
@main
enum Main {
  /// Exit statuses: 0 fine, 1 a problem with data or surroundings, 2 a wrong invocation.
  static func main() {
    cp_set_umask(0o077)
    let invocation: Invocation
    do throws(ConfigurationError) {
      invocation = try Invocation(arguments: ProcessContext.arguments)
    } catch {
      ProcessContext.write(error.text, to: 2)
      cp_exit(2)
    }
    switch invocation.command {
    case .help: ProcessContext.write(Help.text(for: invocation.operands.first), to: 1)
    case .version: ProcessContext.write(Version.text, to: 1)
    case .checkConfig: checkConfiguration(invocation)
    case .doctor: examine(invocation)
    case .passwd: changePassword(invocation)
    case .backup, .restore: transfer(invocation)
    case .importing: importDatabase(invocation)
    case .serve: serve(invocation)
    }
    cp_exit(0)
  }

  private static func examine(_ invocation: Invocation) {
    let (configuration, _) = load(invocation)
    cp_exit(DoctorCommand.run(configuration))
  }

  /// How long the kernel may take to gather random numbers at boot.
  private static let randomMilliseconds: Int64 = 120_000

  /// Waits for random numbers: keys and tokens made without them could be guessed.
  private static func awaitRandom() {
    let isReady = Random.wait(milliseconds: randomMilliseconds) {
      ProcessContext.write("waiting for the kernel to gather random numbers\n", to: 1)
    }
    guard !isReady else { return }
    ProcessContext.write(
      "tinygateway: the kernel has no random numbers after two minutes; start urngd or rngd\n",
      to: 2)
    cp_exit(1)
  }

  private static func load(
    _ invocation: Invocation
  ) -> (configuration: Configuration, loader: ConfigurationLoader) {
    awaitRandom()
    let loader = ConfigurationLoader(
      invocation: invocation, environment: ProcessContext.environment)
    do throws(ConfigurationError) {
      return (try loader.load(), loader)
    } catch {
      ProcessContext.write(error.text, to: 2)
      cp_exit(invocation.command == .doctor ? 2 : 1)
    }
  }

  private static func checkConfiguration(_ invocation: Invocation) {
    let (configuration, _) = load(invocation)
    for warning in configuration.warnings { ProcessContext.write(warning + "\n", to: 2) }
    ProcessContext.write(configuration.summary, to: 1)
    ProcessContext.write("the configuration is valid\n", to: 1)
  }

  private static func changePassword(_ invocation: Invocation) {
    let (configuration, _) = load(invocation)
    let outcome = PasswordCommand.run(
      configuration: configuration, username: invocation.operands.first)
    if let problem = outcome {
      ProcessContext.write(problem + "\n", to: 2)
      cp_exit(1)
    }
  }

  private static func transfer(_ invocation: Invocation) {
    let (configuration, _) = load(invocation)
    let command = BackupCommand(
      configuration: configuration, file: invocation.operands.first ?? .empty,
      passphraseFile: invocation.passphraseFile)
    do throws(StartError) {
      if invocation.command == .backup {
        try command.backup(withRecords: !invocation.leavesOutLogs)
      } else {
        try command.restore()
      }
    } catch {
      ProcessContext.write("tinygateway: " + error.sentence + "\n", to: 2)
      cp_exit(1)
    }
  }

  private static func importDatabase(_ invocation: Invocation) {
    let (configuration, _) = load(invocation)
    if let problem = ImportCommand.run(configuration: configuration, invocation: invocation) {
      ProcessContext.write("tinygateway: " + problem + "\n", to: 2)
      cp_exit(1)
    }
  }

  private static func serve(_ invocation: Invocation) {
    var (configuration, loader) = load(invocation)
    let log = Log(level: configuration.logLevel)
    let wanted = configuration.capacity.connections
    let descriptors = Int64(wanted * 2 + Capacity.otherDescriptors)
    let allowed = cp_raise_descriptor_limit(descriptors)
    if allowed < descriptors {
      configuration.descriptorLimit = Int(allowed)
      let left = configuration.capacity.connections
      log.warn(
        "the limit of open files leaves \(left) of \(wanted) connections; raise it (ulimit -n)")
    }
    do throws(StartError) {
      let signals = try SignalHandler.open()
      let gateway = try Gateway(
        configuration: configuration, loader: loader, log: log, signals: signals)
      try gateway.run()
    } catch {
      log.flush()
      ProcessContext.write("tinygateway: " + error.sentence + "\n", to: 2)
      cp_exit(1)
    }
  }
}

/// What is told when a port is open.
enum Announcement {
  /// `Server started on http://0.0.0.0:3000`; scripts wait for this line.
  static func started(scheme: StaticString, address: IPAddress, port: Int) {
    let line = Buffer()
    line.append("Server started on ")
    line.append(scheme)
    line.append("://")
    if !address.isIPv4 { line.append(UInt8(ascii: "[")) }
    line.append(address.text)
    if !address.isIPv4 { line.append(UInt8(ascii: "]")) }
    line.append(UInt8(ascii: ":"))
    line.append(decimal: port)
    line.append(UInt8(ascii: "\n"))
    ProcessContext.write(line.byteString, to: 1)
  }
}

/// What `--version` says.
enum Version {
  /// How the Swift sources were compiled.
  static var swiftMode: StaticString {
    #if hasFeature(Embedded)
      "Embedded Swift"
    #else
      "Swift with run-time library"
    #endif
  }

  static var text: ByteString {
    let text = Buffer()
    text.append("tinygateway ")
    append(cp_version(), to: text)
    text.append("\n")
    text.append(swiftMode)
    text.append(", ")
    append(cp_build_target(), to: text)
    text.append("\nSQLite ")
    text.append(Database.libraryVersion)
    text.append("\n")
    text.append("Mbed TLS ")
    text.append(TLSContext.libraryVersion)
    text.append("\n")
    return text.byteString
  }

  private static func append(_ text: UnsafePointer<CChar>?, to buffer: Buffer) {
    buffer.append(ByteString(cString: text) ?? .empty)
  }
}
