// SPDX-License-Identifier: MIT
import CMbedTLS
import Platform

/// Why a TLS object could not be made.
package struct TLSError: Error, Sendable {
  /// One sentence, without secrets.
  package let text: ByteString

  /// Room for a sentence with a path in it.
  private static let textByteCount = 512

  /// Calls `make` with room for an error sentence; throws that sentence when it gives nil.
  static func orValue<Value>(
    _ make: (UnsafeMutablePointer<CChar>?, Int) -> Value?
  ) throws(TLSError) -> Value {
    var text = [CChar](repeating: 0, count: textByteCount)
    let value = text.withUnsafeMutableBufferPointer { make($0.baseAddress, $0.count) }
    if let value { return value }
    throw TLSError(text: ByteString(terminated: text))
  }
}

extension ByteString {
  /// The bytes before the first NUL.
  init(terminated text: [CChar]) {
    self.init(text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
  }
}

/// A set of trusted certificate authorities, shared by client contexts.
///
/// Belongs to one thread, as everything of TLS.
package final class TLSTrust {
  fileprivate let set: OpaquePointer

  /// Reads a PEM bundle.
  ///
  /// Where Mbed TLS can ask for authorities on demand, as in the release build, the bundle is
  /// only indexed, and its file stays open. Throws when it holds no certificate.
  package init(file path: ByteString) throws(TLSError) {
    set = try TLSError.orValue { text, size in
      path.withCString { cm_trust_file($0, text, size) }
    }
  }

  private init(set: OpaquePointer) { self.set = set }

  deinit { cm_trust_free(set) }

  /// The authorities built into the binary; throws when it was built without.
  package static func builtIn() throws(TLSError) -> TLSTrust {
    TLSTrust(set: try TLSError.orValue { text, size in cm_trust_builtin(text, size) })
  }

  /// How many authorities the set holds.
  package var certificateCount: Int { Int(cm_trust_count(set)) }
}

/// The configuration that many TLS streams share: whom to trust, or who we are.
///
/// Belongs to one thread. A stream keeps its context alive, so a certificate is renewed by making
/// a new context and giving it to the streams that come.
package final class TLSContext {
  let context: OpaquePointer

  private init(context: OpaquePointer) { self.context = context }

  deinit { cm_context_free(context) }

  /// A context for connecting; servers are always verified.
  ///
  /// Throws when there is nothing to trust: both arguments nil.
  ///
  /// `trust`: public authorities.
  /// `pem`: private authorities trusted besides, or one server's own self-signed certificate.
  package static func client(
    trust: TLSTrust?, extraAuthorities pem: ByteString?
  ) throws(TLSError) -> TLSContext {
    let extra = (pem ?? .empty).bytes
    return TLSContext(
      context: try TLSError.orValue { text, size in
        extra.withUnsafeBufferPointer {
          cm_context_client(trust?.set, $0.baseAddress, $0.count, text, size)
        }
      })
  }

  /// A context for accepting, from PEM texts: the chain, leaf first, and its key.
  package static func server(
    certificatePEM chain: ByteString, keyPEM key: ByteString
  ) throws(TLSError) -> TLSContext {
    TLSContext(
      context: try TLSError.orValue { text, size in
        chain.bytes.withUnsafeBufferPointer { chain in
          key.bytes.withUnsafeBufferPointer { key in
            cm_context_server(
              chain.baseAddress, chain.count, key.baseAddress, key.count, text, size)
          }
        }
      })
  }

  /// A context for accepting, from PEM files.
  ///
  /// Throws when group or others may read the key file.
  package static func server(
    certificateFile: ByteString, keyFile: ByteString
  ) throws(TLSError) -> TLSContext {
    TLSContext(
      context: try TLSError.orValue { text, size in
        certificateFile.withCString { certificate in
          keyFile.withCString { cm_context_server_files(certificate, $0, text, size) }
        }
      })
  }

  /// Unix seconds of the end of the own certificate's validity; nil for a client's context.
  package var validUntil: Int64? {
    let seconds = cm_context_valid_until(context)
    return seconds == 0 ? nil : seconds
  }

  /// For instance `3.6.6`.
  package static var libraryVersion: ByteString { ByteString(cString: cm_version()) ?? .empty }
}

/// A certificate and its private key, both PEM.
package struct TLSIdentity: Sendable {
  package let certificate: ByteString
  package let key: ByteString

  private static let daySeconds: Int64 = 86_400
  /// Ten years, with their leap days.
  private static let lifetimeSeconds: Int64 = 3652 * daySeconds

  /// Makes a P-256 key and a certificate signed by itself, valid for ten years.
  ///
  /// It is valid from the day before `nowSeconds` or the build, whichever is later, since a
  /// client's clock may lag.
  ///
  /// `names`: host names and IP addresses it stands for, at least one.
  package static func selfSigned(
    names: [ByteString], nowSeconds: Int64
  ) throws(TLSError) -> TLSIdentity {
    let start = max(nowSeconds, cm_build_time())
    return try selfSigned(
      names: names, notBefore: start - daySeconds, notAfter: start + lifetimeSeconds)
  }

  /// Makes a certificate with the given validity in Unix seconds.
  package static func selfSigned(
    names: [ByteString], notBefore: Int64, notAfter: Int64
  ) throws(TLSError) -> TLSIdentity {
    var list: [CChar] = []
    for name in names {
      list.append(contentsOf: name.bytes.lazy.map { CChar(bitPattern: $0) })
      list.append(0)
    }
    var certificate = [CChar](repeating: 0, count: Int(CM_PEM_SIZE))
    var key = certificate
    let _: Bool = try TLSError.orValue { text, size in
      let result = cm_self_signed(
        list, Int32(clamping: names.count), notBefore, notAfter, &certificate, &key, text, size)
      return result == 0 ? true : nil
    }
    return TLSIdentity(
      certificate: ByteString(terminated: certificate), key: ByteString(terminated: key))
  }
}
