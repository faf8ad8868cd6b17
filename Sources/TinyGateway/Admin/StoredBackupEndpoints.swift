// SPDX-License-Identifier: MIT
import CPlatform
import MiniJSON
import Platform
import Store

/// Backups that the gateway keeps by itself.
enum StoredBackupEndpoints {
  static let all: [Endpoint] = [
    Endpoint(method: .get, path: "/api/v1/backups", access: .root, run: .act(list)),
    Endpoint(method: .post, path: "/api/v1/backups", access: .root, run: .act(make)),
  ]

  /// What the thread of files leaves for the loop.
  private final class Found: @unchecked Sendable {
    var items: [(backup: StoredBackup, byteCount: Int64)] = []
  }

  @Sendable private static func list(_ request: AdminRequest) throws(AdminError) {
    let (found, directory) = (Found(), request.gateway.backups.directory)
    let job = Job(
      work: {
        for backup in StoredBackup.list(in: directory.path) {
          found.items.append((backup, size(of: backup, in: directory)))
        }
      },
      completion: {
        request.reply.succeed { json in write(found, request.gateway, &json) }
      })
    do throws(SystemError) {
      try request.gateway.fileWorker.submit(job)
    } catch { throw AdminError(503, "busy", "No thread can be started.") }
  }

  private static func size(of backup: StoredBackup, in directory: BackupDirectory) -> Int64 {
    max(0, directory.path(of: backup).withCString { cp_file_size($0) })
  }

  private static func write(_ found: Found, _ gateway: Gateway, _ json: inout JSONWriter) {
    let backups = gateway.backups
    json.beginObject()
    json.member("directory", backups.directory.path)
    json.member("interval_hours", backups.hours)
    json.key("failure")
    if backups.failure.isEmpty { json.null() } else { json.string(backups.failure) }
    json.key("recovery")
    if let recovery = gateway.recovery {
      json.beginObject()
      json.member("time", recovery.time)
      json.member("backup", recovery.backup.name)
      json.member("backup_time", recovery.backup.time)
      json.member("reason", recovery.reason)
      json.member("kept", recovery.kept)
      json.endObject()
    } else {
      json.null()
    }
    json.key("items")
    json.beginArray()
    for (backup, byteCount) in found.items { write(backup, byteCount, &json) }
    json.endArray()
    json.endObject()
  }

  private static func write(
    _ backup: StoredBackup, _ byteCount: Int64, _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("name", backup.name)
    json.member("created_at", backup.time)
    json.member("size", byteCount)
    json.endObject()
  }

  @Sendable private static func make(_ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    try BackupEndpoints.beginTransfer(gateway)
    request.audit("backup", "kept")
    gateway.backups.make(gateway, isScheduled: false) { outcome in
      switch outcome {
      case .written(let backup):
        let byteCount = size(of: backup, in: gateway.backups.directory)
        request.reply.succeed { json in write(backup, byteCount, &json) }
      case .failed(let error): request.reply.fail(backupError(error))
      case .notDue: break
      }
    }
  }

  /// A folder that cannot be used is no defect of ours.
  private static func backupError(_ error: StoreError) -> AdminError {
    error.kind == .other
      ? AdminError(503, "storage_failed", error.sentence + ".") : AdminError(error)
  }
}
