// SPDX-License-Identifier: MIT
import Platform

/// The `config.yaml` that a first start makes.
enum ConfigurationTemplate {
  /// Every key with its default behind a `#`: what stays a comment can still come from the board
  /// file, and follows better defaults of later versions.
  ///
  /// `layers` has the settings of the board file, which are the defaults shown.
  static func text(defaults layers: ConfigurationLayers) -> ByteString {
    let buffer = Buffer()
    buffer.append(
      """
      # TinyGateway configuration: KEY: VALUE lines, nothing nested.
      # Every key is listed with its default. To change one, remove the # in front of it.
      # Stronger than this file: options (--log-level), then variables (TINYGATEWAY_LOG_LEVEL).
      # Keys marked (reload) change by the web pages and at SIGHUP, the others at a restart.
      # `tinygateway check-config` tells what is in force and what is wrong.

      """)
    for (row, setting) in zip(ConfigurationTable.rows, layers.settings)
    where row.scope.contains(.file) {
      if row.section.utf8CodeUnitCount > 0 {
        buffer.append("\n# --- ")
        buffer.append(row.section)
        buffer.append(" ---\n")
      }
      append(row, setting, to: buffer)
    }
    return buffer.byteString
  }

  private static func append(
    _ row: ConfigurationRow, _ setting: ConfigurationSetting?, to buffer: Buffer
  ) {
    buffer.append("\n# ")
    buffer.append(row.comment)
    switch row.kind {
    case .number, .powerOfTwo:
      buffer.append(" (")
      row.appendRange(to: buffer)
      buffer.append(")")
    case .choice:
      buffer.append(" (")
      row.appendChoices(to: buffer)
      buffer.append(")")
    case .text, .path, .address, .blocks, .statuses, .zone:
      break
    }
    if row.isReloadable { buffer.append(" (reload)") }
    buffer.append("\n#")
    buffer.append(ByteString(row.name))
    buffer.append(": ")
    let board = setting.flatMap { $0.origin.layer == .board ? $0.value : nil }
    row.append(board ?? row.defaultValue, to: buffer)
    buffer.append("\n")
  }
}
