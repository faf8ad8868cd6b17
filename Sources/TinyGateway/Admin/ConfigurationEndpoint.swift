// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// `/config`: every setting of the configuration, its value in force and where that came from;
/// those that change at run time are changed in `config.yaml`.
enum ConfigurationEndpoint {
  static let all: [Endpoint] = [
    Endpoint(method: .get, path: "/api/v1/config", access: .admin, run: .read(show)),
    Endpoint(
      method: .put, path: "/api/v1/config", access: .root,
      fields: ConfigurationTable.rows.filter { $0.scope.contains(.file) }.map { $0.name },
      run: .act(change)),
  ]

  @Sendable private static func change(_ request: AdminRequest) throws(AdminError) {
    let changes = request.gateway.admin.changes
    let admitted = changes.begin {
      do throws(AdminError) {
        try request.checkCaller()
        try perform(try ConfigurationChange(request.body, of: request.gateway), request)
      } catch {
        request.reply.fail(error)
        changes.ended()
      }
    }
    if !admitted { throw .busy }
  }

  private static func perform(
    _ change: ConfigurationChange, _ request: AdminRequest
  ) throws(AdminError) {
    let job = Job(work: { change.run() }, completion: { finish(change, request) })
    do throws(SystemError) {
      try request.gateway.fileWorker.submit(job)
    } catch { throw .busy }
  }

  /// Puts in force what was written, as SIGHUP does, and answers when the audit has it.
  private static func finish(_ change: ConfigurationChange, _ request: AdminRequest) {
    let gateway = request.gateway
    var failure = change.failure
    if let loaded = change.loaded {
      do throws(ConfigurationError) {
        try gateway.take(loaded)
      } catch { failure = ConfigurationChange.refusal(error) }
    }
    let answer = {
      if let failure {
        request.reply.fail(failure)
      } else {
        request.reply.succeed { (json) throws(AdminError) in try show(request, &json) }
      }
      gateway.admin.changes.ended()
    }
    guard change.hasWritten else { return answer() }
    let note = AuditNote("config_change", change.keys)
    let row = note.filling(request.blankAuditRow())
    request.writeAuditLine(note)
    gateway.storage.perform(
      { (database) throws(StoreError) in
        try AuditTable.insert(row, in: database)
        try AuditTable.trim(in: database)
      },
      completion: { result in
        // The file is written all the same; the row waits for a medium that works again.
        if case .failure = result { gateway.batch.append(row, now: gateway.loop.now) }
        answer()
      })
  }

  @Sendable private static func show(
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
    let isNumber = row.kind == .number || row.kind == .powerOfTwo
    json.member("min", isNumber ? row.range.lowerBound : nil)
    json.member("max", isNumber ? row.range.upperBound : nil)
    json.key("choices")
    json.beginArray()
    if row.kind == .choice {
      for word in ByteString(row.choices).list(separatedBy: UInt8(ascii: "|")) {
        json.string(word)
      }
    }
    json.endArray()
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
