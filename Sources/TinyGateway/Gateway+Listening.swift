// SPDX-License-Identifier: MIT
import CPlatform
import MiniHTTP
import Platform

/// The ports.
extension Gateway {
  /// Opens every port, and tells of them when none is left that might be refused.
  func listen(_ server: Server) throws(StartError) {
    let plain = try listen(server, on: configuration.port, nil, "--port")
    var secure: Int?
    if configuration.tlsPort > 0 {
      let context = try ServerCertificate.context(configuration, log: log)
      secure = try listen(server, on: configuration.tlsPort, context, "--tls-port")
    }
    Announcement.started(scheme: "http", address: configuration.listen, port: plain)
    guard let secure else { return }
    Announcement.started(scheme: "https", address: configuration.listen, port: secure)
  }

  private func listen(
    _ server: Server, on wanted: Int, _ context: TLSContext?, _ option: String
  ) throws(StartError) -> Int {
    do throws(SystemError) {
      let port = try server.listen(on: configuration.listen, port: wanted, tls: context)
      pool.ownPorts.append(port)
      return port
    } catch {
      throw Gateway.listenError(error, configuration.listen, wanted, option)
    }
  }

  private static func listenError(
    _ error: SystemError, _ address: IPAddress, _ port: Int, _ option: String
  ) -> StartError {
    if error.number == cp_eaddrinuse {
      return StartError(
        "port \(port) is already in use; stop the other program or choose another with \(option)")
    }
    if error.number == cp_eacces {
      return StartError(
        "port \(port) may not be used without root; choose one above 1023 with \(option)")
    }
    let what = "cannot listen on \(address.text.text) port \(port): \(error.text)"
    return StartError(what + "; set listen to an address of this machine, or to 0.0.0.0")
  }
}
