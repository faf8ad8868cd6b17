// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import MiniJSON
import Platform
import Store

/// What the storage thread finds out for `/status`: a disk may make who asks it wait.
struct MachineFacts: Sendable {
  /// Of the file system under the data directory, for this user.
  var freeByteCount: Int64 = 0
  var fileSystemByteCount: Int64 = 0
  /// Of `db.db` and its journal.
  var databaseByteCount: Int64 = 0
  /// nil when the database cannot be read.
  var logByteCount: Int64?
  var memoryByteCount: Int64 = 0
  var availableMemoryByteCount: Int64 = 0

  init(_ path: ByteString, in database: Database) {
    let folder = File.directory(of: path)
    freeByteCount = folder.withCString { cp_free_bytes($0) }
    fileSystemByteCount = folder.withCString { cp_total_bytes($0) }
    for suffix in ["", "-wal", "-journal"] as [ByteString] {
      databaseByteCount += max(0, (path + suffix).withCString { cp_file_size($0) })
    }
    do throws(StoreError) {
      logByteCount = try StorageFigures.logByteCount(in: database)
    } catch {
      logByteCount = nil
    }
    memoryByteCount = cp_machine_memory("MemTotal:")
    availableMemoryByteCount = cp_machine_memory("MemAvailable:")
  }
}

/// `/status`: how the gateway and its machine are, for the dashboard.
enum StatusEndpoint {
  /// Facts are not asked for again before; they cost a look at each table.
  private static let keptMilliseconds: Int64 = 30_000

  @Sendable static func show(_ request: AdminRequest) throws(AdminError) {
    let gateway = request.gateway
    let now = gateway.loop.now
    if let known = gateway.admin.machine,
      now.milliseconds(since: known.readAt) < keptMilliseconds
    {
      return answer(request, known.facts)
    }
    let path = gateway.configuration.path("db.db")
    gateway.storage.perform(
      inTransaction: false,
      { (database: Database) throws(StoreError) in MachineFacts(path, in: database) },
      completion: { result in
        switch result {
        case .success(let facts):
          gateway.admin.machine = (facts, now)
          answer(request, facts)
        case .failure(let error): request.reply.fail(AdminError(error))
        }
      })
  }

  private static func answer(_ request: AdminRequest, _ facts: MachineFacts) {
    let gateway = request.gateway
    request.reply.succeed { json in
      json.beginObject()
      writeProgram(gateway, &json)
      json.member("resident_bytes", cp_resident_bytes())
      json.member(
        "memory_limit_bytes", Int64(gateway.configuration.memoryLimitMegabytes) << 20)
      json.member("machine_memory_bytes", facts.memoryByteCount)
      json.member("machine_available_bytes", facts.availableMemoryByteCount)
      json.member("client_connections", Int64(gateway.clientConnectionCount))
      json.member("relays", Int64(gateway.relays.count))
      writeStorage(gateway, facts, &json)
      json.endObject()
    }
  }

  private static func writeProgram(_ gateway: Gateway, _ json: inout JSONWriter) {
    json.member("version", ByteString(cString: cp_version()) ?? .empty)
    json.member("target", ByteString(cString: cp_build_target()) ?? .empty)
    json.member("swift", Version.swiftMode)
    json.member("sqlite", Database.libraryVersion)
    json.member("mbedtls", TLSContext.libraryVersion)
    LogRow.write(
      "board", gateway.configuration.boardFile.isEmpty ? nil : gateway.configuration.boardName,
      &json)
    json.member("started_at", gateway.startTime)
    json.member(
      "uptime_seconds", Instant.now.milliseconds(since: gateway.startedInstant) / 1000)
    json.member("now", UnixTime.seconds)
    json.member("clock", UnixTime.isPlausible ? "ok" : "before_build" as StaticString)
    json.member("time_zone", gateway.zoneName)
    json.member("first_password", gateway.hasFirstPassword)
  }

  private static func writeStorage(
    _ gateway: Gateway, _ facts: MachineFacts, _ json: inout JSONWriter
  ) {
    let storage = gateway.storage
    let failure = storage.failure
    json.member("storage", state(failure?.kind))
    LogRow.write("storage_message", failure.map { AdminError($0).message }, &json)
    json.member("storage_since", failure == nil ? nil : storage.failingSince)
    json.member("data_dir", gateway.configuration.dataDirectory)
    json.member("free_bytes", max(0, facts.freeByteCount))
    json.member("total_bytes", max(0, facts.fileSystemByteCount))
    json.member("database_bytes", facts.databaseByteCount)
    json.member("log_bytes", facts.logByteCount)
    json.member("log_limit_bytes", gateway.configuration.storage.logByteLimit)
    json.member("written_bytes", storage.written.total)
    json.member(
      "written_bytes_today", storage.written.count(on: gateway.zone.day(at: UnixTime.seconds)))
    json.member("dropped_log_rows", gateway.batch.droppedRowCount)
    json.member("failed_flushes", gateway.batch.failedFlushCount)
  }

  /// The word for what the last write met.
  static func state(_ failure: StoreError.Kind?) -> StaticString {
    switch failure {
    case .none: "ok"
    case .full: "full"
    case .readOnly: "read_only"
    case .ioError: "io_error"
    case .corrupt: "corrupt"
    case .busy: "busy"
    case .newerVersion, .duplicate, .constraint, .notFound, .other: "failed"
    }
  }
}

extension Gateway {
  /// Unix seconds at which the program started, by the present clock where that one was wrong: a
  /// board without a battery starts in 1970 and learns the time later.
  var startTime: Int64 {
    startedAt >= UnixTime.buildSeconds
      ? startedAt : UnixTime.seconds - Instant.now.milliseconds(since: startedInstant) / 1000
  }
}
