// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// `/config`: every setting of the configuration, its value in force and where that came from.
enum ConfigurationEndpoint {
  @Sendable static func show(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    let configuration = request.gateway.configuration
    json.beginObject()
    json.member("file", configuration.configurationFile)
    json.member("board_file", configuration.boardFile)
    json.key("items")
    json.beginArray()
    var section: StaticString = ""
    for (row, setting) in zip(ConfigurationTable.rows, configuration.settings) {
      if row.section.utf8CodeUnitCount > 0 { section = row.section }
      write(row, setting, in: section, &json)
    }
    json.endArray()
    json.endObject()
  }

  static func write(
    _ row: ConfigurationRow, _ setting: ConfigurationSetting, in section: StaticString,
    _ json: inout JSONWriter
  ) {
    let origin = setting.origin
    json.beginObject()
    json.member("key", row.name)
    json.member("section", section)
    json.member("comment", row.comment)
    let expectation = Buffer()
    row.appendExpectation(to: expectation)
    json.member("expects", expectation.byteString)
    json.member("reload", row.isReloadable)
    json.member("source", source(origin.layer))
    json.member("place", origin.place)
    json.member("line", origin.line > 0 ? Int64(origin.line) : nil)
    json.member("secret", row.isSecret)
    json.member("is_set", !setting.value.isEmpty)
    LogRow.write("value", row.isSecret ? nil : row.text(of: setting.value), &json)
    json.member("default", row.fallback)
    json.endObject()
  }

  private static func source(_ layer: ConfigurationOrigin.Layer) -> StaticString {
    switch layer {
    case .commandLine: "command_line"
    case .environment: "environment"
    case .file: "file"
    case .board: "board"
    case .builtIn: "default"
    }
  }
}

extension ConfigurationRow {
  /// A value without the quotes that a file may need.
  fileprivate func text(of value: ConfigurationValue) -> ByteString {
    if value.isEmpty { return .empty }
    if case .text(let text) = value { return text }
    let buffer = Buffer()
    append(value, to: buffer)
    return buffer.byteString
  }
}
