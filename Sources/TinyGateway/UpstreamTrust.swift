// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform

/// Finds the certificate authorities that upstreams are verified with.
///
/// In this order: `ca_file`, the variable `SSL_CERT_FILE`, the system's bundle, the set that
/// was built in. A file that is named but cannot be used is an error, not a reason to go on.
enum UpstreamTrust {
  /// Where systems keep their bundle: Debian, Buildroot, OpenWrt; Alpine; Fedora.
  private static let bundles: [StaticString] = [
    "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
  ]

  /// Where the authorities are found, or why there are none.
  static func source(caFile: ByteString) -> (source: ByteString, problem: ByteString) {
    do throws(TLSError) {
      return (try find(caFile: caFile).source, .empty)
    } catch {
      return (.empty, error.text)
    }
  }

  private static func find(
    caFile: ByteString
  ) throws(TLSError) -> (trust: TLSTrust, source: ByteString) {
    try find(
      caFile: caFile,
      environmentFile: ByteString(cString: cp_environment("SSL_CERT_FILE")) ?? .empty,
      bundles: bundles.map { ByteString($0) })
  }

  /// The context for connections to upstreams, or why there is none.
  static func context(
    _ configuration: Configuration, log: Log
  ) -> (context: TLSContext?, problem: ByteString) {
    do throws(TLSError) {
      let (trust, source) = try find(caFile: configuration.caFile)
      let context = try TLSContext.client(trust: trust, extraAuthorities: nil)
      log.debug(
        "upstreams are verified with \(trust.certificateCount) authorities of \(source.text)")
      return (context, .empty)
    } catch {
      return (nil, error.text)
    }
  }

  /// The first set in the order above, and where it was found.
  ///
  /// Throws what is wrong with a file that is named: an empty name is none.
  static func find(
    caFile: ByteString, environmentFile: ByteString, bundles: [ByteString]
  ) throws(TLSError) -> (trust: TLSTrust, source: ByteString) {
    for named in [caFile, environmentFile] where !named.isEmpty {
      return (try TLSTrust(file: named), named)
    }
    for bundle in bundles where File.exists(bundle) {
      // An empty or broken system bundle is no reason to refuse the built-in set.
      if let trust = usable(bundle) { return (trust, bundle) }
    }
    return (try TLSTrust.builtIn(), "the built-in set")
  }

  private static func usable(_ path: ByteString) -> TLSTrust? {
    do throws(TLSError) {
      return try TLSTrust(file: path)
    } catch {
      return nil
    }
  }
}
