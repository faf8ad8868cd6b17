// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import MiniJSON
import Platform
import Store

/// Backup and restore.
enum BackupEndpoints {
  static let all: [Endpoint] = [
    Endpoint(
      method: .get, path: "/api/v1/backup", access: .root, parameters: ["logs"],
      refusesReaders: true, run: .act(backup)),
    Endpoint(
      method: .post, path: "/api/v1/backup", access: .root, fields: ["passphrase", "logs"],
      needsPerson: true, run: .act(backupWithKey)),
    Endpoint(
      method: .post, path: "/api/v1/restore", access: .root, needsPerson: true,
      run: .receive(RestoreUpload.begin)),
  ]

  /// A backup that was written: open, and without a name, so that it cannot stay behind.
  private struct Written {
    let file: OpenFile
    let byteCount: Int64
  }

  /// Takes the one place of backup and restore; `isTransferring = false` gives it back.
  static func beginTransfer(_ gateway: Gateway) throws(AdminError) {
    guard !gateway.admin.isTransferring else {
      throw AdminError(
        409, "transfer_running", "A backup or restore is under way already: wait for its end.")
    }
    gateway.admin.isTransferring = true
  }

  @Sendable private static func backup(_ request: AdminRequest) throws(AdminError) {
    let logs = request.parameter("logs") ?? "1"
    guard logs == "0" || logs == "1" else {
      throw AdminError(400, "invalid_parameter", "logs must be 0 or 1.")
    }
    try write(request, withRecords: logs == "1", key: nil)
  }

  @Sendable private static func backupWithKey(_ request: AdminRequest) throws(AdminError) {
    let withRecords = try request.body.boolean("logs") ?? true
    guard let value = request.body.value("passphrase") else {
      throw .field("passphrase", "is missing")
    }
    guard let passphrase = value.string, BackupFiles.passphraseByteCounts.contains(passphrase.count)
    else { throw .field("passphrase", "must be a text of 12 to 128 bytes") }
    let secrets = request.gateway.secrets
    try request.derive(
      { (rounds) -> BackupKey? in
        BackupFiles.key(of: secrets, passphrase: passphrase, rounds: rounds)
      },
      { (key) throws(AdminError) in
        try request.checkCaller()
        guard let key else { throw AdminError(503, "busy", "There are no random numbers yet.") }
        try write(request, withRecords: withRecords, key: key)
      })
  }

  private static func write(
    _ request: AdminRequest, withRecords: Bool, key: BackupKey?
  ) throws(AdminError) {
    let gateway = request.gateway
    try beginTransfer(gateway)
    request.audit("backup", key == nil ? "without secret.key" : "with secret.key")
    let path = gateway.configuration.path(BackupFiles.backup)
    gateway.batch.flush(now: gateway.loop.now)
    gateway.storage.perform(
      inTransaction: false,
      { (database) throws(StoreError) in
        // A backup for which there is no room says nothing about the health of the database.
        do throws(StoreError) {
          return Result<Written, StoreError>.success(
            try write(database, to: path, withRecords: withRecords, key: key))
        } catch { return .failure(error) }
      },
      completion: { result in
        do throws(StoreError) {
          send(try result.get().get(), request)
        } catch {
          gateway.admin.isTransferring = false
          request.reply.fail(AdminError(error))
        }
      })
  }

  /// On the storage thread.
  private static func write(
    _ database: Database, to path: ByteString, withRecords: Bool, key: BackupKey?
  ) throws(StoreError) -> Written {
    BackupFiles.remove(path)
    defer { BackupFiles.remove(path) }
    try BackupFiles.write(database, to: path, withRecords: withRecords, key: key)
    do throws(SystemError) {
      let file = try OpenFile(reading: path)
      return Written(file: file, byteCount: path.withCString { cp_file_size($0) })
    } catch { throw StoreError(.ioError, message: ByteString(utf8: error.text)) }
  }

  private static func send(_ written: Written, _ request: AdminRequest) {
    let (gateway, reply) = (request.gateway, request.reply)
    let responder = reply.begin(byteCount: written.byteCount) { fields in
      fields.append("Content-Type: application/vnd.sqlite3\r\n")
      fields.append("Content-Disposition: attachment; filename=\"tinygateway-")
      fields.append(decimal: UnixTime.seconds)
      fields.append(".db\"\r\n")
    }
    guard let responder else {
      gateway.admin.isTransferring = false
      return
    }
    let download = FileDownload(
      written.file, byteCount: written.byteCount, to: responder, gateway: gateway
    ) {
      gateway.admin.isTransferring = false
      (reply.onDrained, reply.onCancel) = (nil, nil)
    }
    reply.onDrained = { download.goOn() }
    reply.onCancel = { download.cancel() }
    download.goOn()
  }
}
