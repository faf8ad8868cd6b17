// SPDX-License-Identifier: MIT
import CMbedTLS
import Platform

/// What a call on a TLS stream gave; `closed`, `truncated` and `failed` are final.
package enum TLSResult: Equatable, Sendable {
  /// So many bytes were read or sent; 0 when a handshake or `closeNotify` is done.
  case bytes(Int)
  /// Call again when the socket is readable.
  case wantRead
  /// Call again when the socket is writable.
  case wantWrite
  /// The peer said that nothing more will come.
  case closed
  /// The connection ended without the peer saying so: an error when it ends a message.
  case truncated
  /// See `errorText`.
  case failed
}

/// What a later connection to the same server may resume.
///
/// To be kept by host, port and set of authorities, never across those.
package final class TLSSession {
  fileprivate let saved: OpaquePointer

  fileprivate init(saved: OpaquePointer) { self.saved = saved }

  deinit { cm_saved_free(saved) }
}

/// TLS over one connected non-blocking socket, which stays its owner's.
///
/// `read` empties the socket up to the size of its buffer, so one call for each readiness event
/// is enough unless `hasPendingInput`. After `.wantWrite`, or fewer bytes than offered, the next
/// `write` must begin with the bytes that were not counted; more may follow them.
package final class TLSStream {
  private let session: OpaquePointer

  /// Prepares a handshake, which `handshake`, `read` or `write` then performs.
  ///
  /// `host`: for a client the DNS name or IP address that the certificate must have; for a
  /// server nil. Throws for a client's nil or a host that no certificate could name.
  /// `resuming`: a session of the same host, port and authorities; it stays usable.
  package init(
    context: TLSContext, descriptor: Int32, host: ByteString?, resuming: TLSSession?
  ) throws(TLSError) {
    session = try TLSError.orValue { text, size in
      guard let host else {
        return cm_session_create(context.context, descriptor, nil, nil, text, size)
      }
      return host.withCString {
        cm_session_create(context.context, descriptor, $0, resuming?.saved, text, size)
      }
    }
  }

  deinit { cm_session_free(session) }

  /// One step of the handshake; `.bytes(0)` when it is done and the server is verified.
  package func handshake() -> TLSResult { TLSStream.result(cm_session_handshake(session)) }

  /// Reads what has come, up to the size of `target`.
  package func read(into target: UnsafeMutableRawBufferPointer) -> TLSResult {
    let start = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    return TLSStream.result(cm_session_read(session, start, target.count))
  }

  /// Sends as many of the bytes as the socket takes.
  package func write(_ bytes: UnsafeRawBufferPointer) -> TLSResult {
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    return TLSStream.result(cm_session_write(session, start, bytes.count))
  }

  /// Says that nothing more will come; `.bytes(0)` when that is sent.
  package func closeNotify() -> TLSResult { TLSStream.result(cm_session_close_notify(session)) }

  /// Whether a read gives something although the socket may not become readable.
  package var hasPendingInput: Bool { cm_session_has_pending_input(session) == 1 }

  /// Whether the handshake resumed a saved session; a client's view.
  package var isResumed: Bool { cm_session_is_resumed(session) == 1 }

  /// Why the last call gave `.failed` or `.truncated`, in words.
  package var errorText: ByteString {
    var text = [CChar](repeating: 0, count: 384)
    _ = text.withUnsafeMutableBufferPointer {
      cm_session_error(session, $0.baseAddress, $0.count)
    }
    return ByteString(terminated: text)
  }

  /// What a later connection may resume; nil if the server offered nothing since the last call.
  ///
  /// TLS 1.3 servers offer it some time after the handshake, so ask when the exchange is over.
  package func saveSession() -> TLSSession? {
    cm_session_save(session).map { TLSSession(saved: $0) }
  }

  private static func result(_ value: Int32) -> TLSResult {
    switch value {
    case CM_WANT_READ: return .wantRead
    case CM_WANT_WRITE: return .wantWrite
    case CM_CLOSED: return .closed
    case CM_EOF: return .truncated
    case 0...: return .bytes(Int(value))
    default: return .failed
    }
  }
}
