// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Store

/// A restore: takes the file, checks it, puts its contents in the place of all there is.
///
/// Nothing is changed before the whole file is here and was found good.
final class RestoreUpload: AdminUpload {
  /// How much larger than the log a backup may be: 64 MiB.
  private static let otherByteCount: Int64 = 64 << 20
  private static let passphraseField: StaticString = "x-backup-passphrase"

  private let request: AdminRequest
  private let passphrase: ByteString?
  private let path: ByteString
  private var file: FileUpload?
  private var hasBody = false
  private var gateway: Gateway { request.gateway }

  /// Takes a request over whose body is a backup.
  ///
  /// Throws for another type of content, a passphrase that can be none, a body that is missing or
  /// too large, and while another transfer is under way.
  @Sendable static func begin(
    _ request: AdminRequest, _ head: RequestHead
  ) throws(AdminError) -> any AdminUpload {
    let type = head.value(of: "content-type") ?? .empty
    guard type == "application/vnd.sqlite3" || type == "application/octet-stream" else {
      throw AdminError(
        415, "unsupported_media_type",
        "The request needs the header Content-Type: application/vnd.sqlite3.")
    }
    let passphrase = head.value(of: passphraseField)
    if let passphrase, !BackupFiles.passphraseByteCounts.contains(passphrase.count) {
      throw AdminError(
        400, "invalid_header", "X-Backup-Passphrase must have 12 to 128 bytes.")
    }
    let limit = request.gateway.configuration.storage.logByteLimit + otherByteCount
    var announced: Int64?
    switch head.framing {
    case .length(let count): announced = count
    case .chunked: break
    default: announced = 0
    }
    if announced == 0 {
      throw AdminError(400, "missing_body", "The request needs a backup as its body.")
    }
    if let announced, announced > limit { throw tooLarge(limit) }
    try BackupEndpoints.beginTransfer(request.gateway)
    return RestoreUpload(request, passphrase, announced: announced, limit: limit)
  }

  private static func tooLarge(_ limit: Int64) -> AdminError {
    AdminError(
      413, "request_too_large",
      "A backup must not be larger than " + ByteString(number: limit >> 20) + " MiB here.")
  }

  private init(
    _ request: AdminRequest, _ passphrase: ByteString?, announced: Int64?, limit: Int64
  ) {
    self.request = request
    self.passphrase = passphrase
    path = request.gateway.configuration.path(BackupFiles.upload)
    file = FileUpload(
      to: path, announced: announced, byteLimit: limit, worker: request.gateway.fileWorker,
      resume: { request.reply.resumeBody() },
      done: { [self] failure in
        file = nil
        if let failure {
          return end(failure.kind == .constraint ? Self.tooLarge(limit) : AdminError(failure))
        }
        check()
      })
  }

  var acceptsBody: Bool { file?.acceptsBody ?? true }

  func received(_ bytes: Span<UInt8>) { file?.received(bytes) }

  func bodyEnded() {
    hasBody = true
    file?.bodyEnded()
  }

  func cancelled() {
    guard let file else { return }
    file.cancel()
    self.file = nil
    gateway.admin.isTransferring = false
  }

  // The steps, one after the other.

  /// Checks the file on the thread of files: that takes long and needs nothing of ours, so flushes
  /// and changes of settings go on meanwhile.
  private func check() {
    let (path, verdict) = (path, Verdict())
    let job = Job(
      work: {
        verdict.result = RestoreUpload.result { () throws(Restore.Failure) in
          try Restore.check(path)
        }
      },
      completion: { [self] in
        do throws(AdminError) {
          guard let result = verdict.result else { return }
          try open(try RestoreUpload.value(.success(result)))
        } catch { end(error) }
      })
    do throws(SystemError) {
      try gateway.fileWorker.submit(job)
    } catch { end(AdminError(StoreError(.other, message: ByteString(utf8: error.text)))) }
  }

  /// What the thread of files leaves for the loop.
  private final class Verdict {
    var result: Result<BackupKey?, Restore.Failure>?
  }

  /// Opens the sealed key, which needs the passphrase.
  private func open(_ key: BackupKey?) throws(AdminError) {
    guard let passphrase, let key else { return try apply(opening: nil) }
    try request.derive(
      { _ -> ChannelSecrets? in BackupFiles.secrets(of: key, passphrase: passphrase) },
      { [self] (secrets) throws(AdminError) in
        do throws(AdminError) {
          guard let secrets else {
            throw AdminError(
              403, "wrong_passphrase", "X-Backup-Passphrase is not that of this backup.")
          }
          try apply(opening: secrets)
        } catch { end(error) }
      })
  }

  /// After the changes before it; those behind it are checked against what was restored.
  private func apply(opening other: ChannelSecrets?) throws(AdminError) {
    let changes = gateway.admin.changes
    let isAdmitted = changes.begin { [self] in
      do throws(AdminError) {
        try request.checkCaller()
      } catch {
        end(error)
        return changes.ended()
      }
      let (path, secrets) = (path, gateway.secrets)
      let audit = AuditNote("restore").filling(request.blankAuditRow())
      gateway.batch.flush(now: gateway.loop.now)
      gateway.batch.suspend()
      gateway.storage.perform(
        inTransaction: false,
        { (database) throws(StoreError) in
          RestoreUpload.result { () throws(Restore.Failure) in
            try RestoredState.restore(
              path, to: database, secrets: secrets, other: other, audit: audit)
          }
        },
        completion: { [self] (result: Result<Result<RestoredState, Restore.Failure>, StoreError>) in
          finish(result)
          changes.ended()
        })
    }
    if !isAdmitted { throw .busy }
  }

  private func finish(_ result: Result<Result<RestoredState, Restore.Failure>, StoreError>) {
    let state: RestoredState
    do throws(AdminError) {
      state = try RestoreUpload.value(result)
    } catch {
      gateway.batch.resume(with: nil)
      return end(error)
    }
    gateway.batch.resume(with: state.snapshot)
    gateway.replaceAll(with: state)
    end(nil)
    request.writeAuditLine(AuditNote("restore"), level: .warn)
    let tokenCount = state.snapshot.managementTokens.count
    if tokenCount > 0 {
      gateway.log.write(.warn) { line in
        line.append("management tokens of the backup that work again, deleted or not: ")
        line.append(decimal: tokenCount)
      }
    }
    let locked = gateway.channels.all.filter { ChannelSecrets.isLocked($0.record) }
    request.reply.succeed { json in
      json.beginObject()
      json.member("users", Int64(state.snapshot.users.count))
      json.member("tokens", Int64(state.snapshot.tokens.count))
      json.member("channels", Int64(state.snapshot.channels.count))
      json.member("management_tokens", Int64(state.snapshot.managementTokens.count))
      json.key("locked_channels")
      json.beginArray()
      for channel in locked {
        json.beginObject()
        json.member("id", channel.id)
        json.member("name", channel.record.name)
        json.endObject()
      }
      json.endArray()
      json.endObject()
    }
  }

  /// Gives the place of the transfer back, and answers when it has failed.
  private func end(_ error: AdminError?) {
    BackupFiles.discard(path, on: gateway.fileWorker)
    gateway.admin.isTransferring = false
    guard let error else { return }
    request.audit("restore_failed", level: .warn)
    if !hasBody { request.reply.closeAfterwards() }
    request.reply.fail(error)
  }

  // Results that cross threads.

  private static func result<R>(
    _ body: () throws(Restore.Failure) -> R
  ) -> Result<R, Restore.Failure> {
    do throws(Restore.Failure) { return .success(try body()) } catch { return .failure(error) }
  }

  private static func value<R>(
    _ result: Result<Result<R, Restore.Failure>, StoreError>
  ) throws(AdminError) -> R {
    let inner: Result<R, Restore.Failure>
    do throws(StoreError) { inner = try result.get() } catch { throw AdminError(error) }
    do throws(Restore.Failure) {
      return try inner.get()
    } catch {
      switch error {
      case .storage(let error): throw AdminError(error)
      case .invalid(let sentence): throw AdminError(backup: sentence)
      }
    }
  }
}
