// SPDX-License-Identifier: MIT
import CPlatform
import Platform

/// Addresses of host names, from `getaddrinfo` on a thread of its own; answers are kept a while.
package final class Resolver {
  /// How long an answer is used again, in milliseconds.
  private static let keptMilliseconds: Int64 = 60_000
  /// Hosts remembered at once.
  private static let keptHosts = 64
  private static let addressesPerHost: Int32 = 16

  /// What a look-up gave.
  package enum Answer {
    case addresses([IPAddress])
    /// The C library's description of the failure.
    case failed(ByteString)
  }

  /// Filled on the worker, read on the loop afterwards.
  private final class Lookup {
    var entries = [UInt8](
      repeating: 0, count: Int(addressesPerHost) * Int(CP_ADDRESS_ENTRY))
    var count: Int32 = 0
  }

  private struct Kept {
    let addresses: [IPAddress]
    let until: Instant
  }

  private let worker: Worker
  private let loop: EventLoop
  private var kept: [ByteString: Kept] = [:]
  private var waiting: [ByteString: [(Answer) -> Void]] = [:]

  /// Makes a resolver; its thread starts with the first name.
  package init(loop: EventLoop) {
    self.loop = loop
    worker = Worker(name: "resolver", mailbox: loop.mailbox, stackByteCount: 128 * 1024)
  }

  /// Calls `completion` on the loop, at once when the host is numeric or remembered.
  package func resolve(_ host: ByteString, _ completion: @escaping (Answer) -> Void) {
    if let numeric = IPAddress(host) { return completion(.addresses([numeric])) }
    if let known = kept[host], known.until > loop.now {
      return completion(.addresses(known.addresses))
    }
    if waiting[host] != nil {
      waiting[host]?.append(completion)
      return
    }
    waiting[host] = [completion]
    let lookup = Lookup()
    let job = Job(
      work: {
        lookup.count = lookup.entries.withUnsafeMutableBufferPointer { entries in
          host.withCString { cp_resolve($0, entries.baseAddress, Resolver.addressesPerHost) }
        }
      },
      completion: { [self] in finish(host, lookup) })
    do throws(SystemError) {
      try worker.submit(job)
    } catch {
      answer(host, .failed(ByteString(utf8: error.text)))
    }
  }

  private func finish(_ host: ByteString, _ lookup: Lookup) {
    guard lookup.count >= 0 else {
      var text = [UInt8](repeating: 0, count: 96)
      let count = text.withUnsafeMutableBufferPointer {
        cp_describe_resolve_error(lookup.count, $0.baseAddress, 96)
      }
      return answer(host, .failed(ByteString(Array(text.prefix(Int(count))))))
    }
    var addresses: [IPAddress] = []
    let size = Int(CP_ADDRESS_ENTRY)
    lookup.entries.withUnsafeBytes { raw in
      for index in 0..<Int(lookup.count) {
        let entry = UnsafeRawBufferPointer(rebasing: raw[(index * size)..<((index + 1) * size)])
        let bytes = UnsafeRawBufferPointer(rebasing: entry[1..<(1 + Int(entry[0]))])
        guard var address = IPAddress(bytes) else { continue }
        address.scope = entry.loadUnaligned(fromByteOffset: 17, as: UInt32.self)
        if !addresses.contains(address) { addresses.append(address) }
      }
    }
    guard !addresses.isEmpty else { return answer(host, .failed("the name has no address")) }
    keep(addresses, of: host)
    answer(host, .addresses(addresses))
  }

  private func answer(_ host: ByteString, _ answer: Answer) {
    let completions = waiting.removeValue(forKey: host) ?? []
    for completion in completions { completion(answer) }
  }

  /// Uses these addresses of a host for a while, as after a look-up.
  func keep(_ addresses: [IPAddress], of host: ByteString) {
    if kept.count >= Resolver.keptHosts { kept = kept.filter { $0.value.until > loop.now } }
    if kept.count >= Resolver.keptHosts { kept = [:] }
    kept[host] = Kept(
      addresses: addresses, until: loop.now.advanced(byMilliseconds: Resolver.keptMilliseconds))
  }

  /// Forgets a host whose addresses did not answer.
  package func forget(_ host: ByteString) { kept[host] = nil }
}
