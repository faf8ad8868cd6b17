// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// The gateway's own certificate: the owner's, or a self-signed one made at first start.
enum ServerCertificate {
  /// The context for connections from clients.
  static func context(_ configuration: Configuration, log: Log) throws(StartError) -> TLSContext {
    var certificate = configuration.tlsCertificate
    var key = configuration.tlsKey
    if certificate.isEmpty {
      certificate = configuration.path("tls-certificate.pem")
      key = configuration.path("tls-key.pem")
      if !File.exists(certificate) || !File.exists(key) { try make(certificate, key, log) }
    }
    do throws(TLSError) {
      return try TLSContext.server(certificateFile: certificate, keyFile: key)
    } catch {
      throw StartError(
        "the TLS port cannot be opened: \(error.text.text); correct tls_certificate and tls_key, "
          + "or set tls_port to 0")
    }
  }

  private static func make(_ certificate: ByteString, _ key: ByteString, _ log: Log)
    throws(StartError)
  {
    let made: TLSIdentity
    do throws(TLSError) {
      made = try TLSIdentity.selfSigned(
        names: ["localhost", "tinygateway", "127.0.0.1", "::1"], nowSeconds: UnixTime.seconds)
    } catch {
      throw StartError("no certificate can be made: \(error.text.text)")
    }
    do throws(SystemError) {
      try File.writeDurably(made.key, to: key)
      try File.writeDurably(made.certificate, to: certificate)
    } catch {
      throw StartError("the certificate cannot be saved: \(error.text)")
    }
    log.info("made a self-signed certificate: \(certificate.text)")
  }
}
