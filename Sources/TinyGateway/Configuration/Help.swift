// SPDX-License-Identifier: MIT
import Platform

/// What `--help` prints.
enum Help {
  /// Column at which explanations start.
  private static let column = 32

  /// Help about everything, or about one command.
  static func text(for topic: ByteString?) -> ByteString {
    let buffer = Buffer()
    switch topic.flatMap({ Command($0) }) {
    case .serve: appendServe(to: buffer)
    case .checkConfig: buffer.append(checkConfig)
    case .doctor: buffer.append(doctor)
    case .passwd: buffer.append(passwd)
    case .backup: buffer.append(backup)
    case .restore: buffer.append(restore)
    case .importing: buffer.append(importing)
    case .version: buffer.append("tinygateway version: prints versions and the target.\n")
    case .help, nil: appendOverview(to: buffer)
    }
    return buffer.byteString
  }

  private static let checkConfig: StaticString = """
    tinygateway check-config [OPTIONS]
    Reads all settings as serve would, prints the ones in force with their source, or everything
    that is wrong. Starts, makes and changes nothing. Exit status 0 when all is well, else 1.

    """

  private static let doctor: StaticString = """
    tinygateway doctor [OPTIONS]
    Looks at file system, flash, database, clock, names, certificate authorities, memory, kernel,
    port, password and at whether channels can be reached, and says what to do. Changes nothing.
    Exit status 0 when all is well, 1 with warnings, 2 with errors.

    """

  private static let passwd: StaticString = """
    tinygateway passwd [USERNAME] [--data-dir DIR]
    Sets a new password, asked for on the terminal or read as one line from standard input;
    USERNAME is root unless given. Stop the gateway first.

    """

  private static let backup: StaticString = """
    tinygateway backup FILE [--passphrase-file FILE] [--without-logs] [--data-dir DIR]
    Writes everything into one new file. Without a passphrase the keys of channels in it can be
    used only together with this device's secret.key; with one (12 to 128 bytes, the first line of
    its file) that key is in the backup, sealed. Stop the gateway first, or use the management API.

    """

  private static let restore: StaticString = """
    tinygateway restore FILE [--passphrase-file FILE] [--data-dir DIR]
    Replaces everything by what a backup holds; what was there stays as db.db.before-restore.
    All logins end. Stop the gateway first, or use the management API.

    """

  private static let importing: StaticString = """
    tinygateway import FILE [--data-dir DIR] [--dry-run] [--product one-api|new-api]
    Takes users, tokens with their keys, channels, groups, prices and redemption codes out of
    one-api.db, the SQLite file of One API or New API, and tells what it could not take. FILE is
    only read. What is in the data directory stays as it is. --dry-run writes nothing; --product
    says which of the two made FILE. Stop the gateway first.

    """

  private static func appendServe(to buffer: Buffer) {
    buffer.append("tinygateway [serve] [OPTIONS]: starts the gateway.\n\n")
    appendOptions(to: buffer)
  }

  private static func appendOverview(to buffer: Buffer) {
    buffer.append(
      """
      TinyGateway: one OpenAI-style address in front of many language-model services.

      tinygateway [serve] [OPTIONS]   starts the gateway
      tinygateway check-config        shows the settings in force, or what is wrong with them
      tinygateway doctor              looks for what is wrong with the device and the settings
      tinygateway passwd [USERNAME]   sets a password
      tinygateway backup FILE         writes everything into one file
      tinygateway restore FILE        puts a backup in the place of all there is
      tinygateway import FILE         takes over the database of One API or New API
      tinygateway version             prints versions and the target
      tinygateway help [COMMAND]      prints this, or more about a command

      Settings come from options, then TINYGATEWAY_<KEY> variables (also PORT, ONEAPI_LOG_LEVEL,
      TZ), then config.yaml in the data directory, then the board file, then the defaults shown.


      """)
    appendOptions(to: buffer)
  }

  private static func appendOptions(to buffer: Buffer) {
    for row in ConfigurationTable.rows where row.scope.contains(.commandLine) {
      if row.section.utf8CodeUnitCount > 0 {
        buffer.append(row.section)
        buffer.append(":\n")
      }
      let start = buffer.count
      buffer.append("  ")
      row.appendName(for: .commandLine, to: buffer)
      buffer.append(" ")
      appendPlaceholder(row, to: buffer)
      indent(buffer, from: start)
      buffer.append(row.comment)
      if row.fallback.utf8CodeUnitCount > 0 {
        buffer.append(" [")
        buffer.append(row.fallback)
        buffer.append("]")
      }
      buffer.append("\n")
    }
  }

  /// Goes to the column of explanations, on a new line when the option is too long.
  private static func indent(_ buffer: Buffer, from start: Int) {
    var lineStart = start
    if buffer.count - start >= column {
      buffer.append("\n")
      lineStart = buffer.count
    }
    while buffer.count - lineStart < column { buffer.append(" ") }
  }

  private static func appendPlaceholder(_ row: ConfigurationRow, to buffer: Buffer) {
    switch row.kind {
    case .number, .powerOfTwo: buffer.append("N")
    case .choice: buffer.append(row.choices)
    case .text: buffer.append("NAME")
    case .path: buffer.append("FILE")
    case .address: buffer.append("ADDRESS")
    case .blocks, .statuses: buffer.append("LIST")
    case .zone: buffer.append("ZONE")
    }
  }
}
