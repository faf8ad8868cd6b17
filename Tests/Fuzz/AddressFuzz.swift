// SPDX-License-Identifier: MIT
import Platform

@testable import MiniHTTP

/// One input of libFuzzer: as an address, as a block, and as a list of both such as
/// `X-Forwarded-For` or `trusted_proxies`.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = ByteString([UInt8](UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)))
  AddressFuzz.check(text)
  let parts = text.list(separatedBy: UInt8(ascii: ","))
  for part in parts.prefix(32) { AddressFuzz.check(part) }
  AddressFuzz.checkBytes(text)
  AddressFuzz.checkPairs(parts)
  return 0
}

enum AddressFuzz {
  static func check(_ text: ByteString) {
    if let address = IPAddress(text) {
      precondition(IPAddress(address.text) == address, "written again it differs")
      precondition(AddressBlock(text)?.contains(address) == true, "not in its own block")
      checkPolicy(address)
    }
    guard let block = AddressBlock(text) else { return }
    precondition(block.contains(block.address), "a block without its address")
    precondition(
      block.prefixBitCount >= 0 && block.prefixBitCount <= block.address.bitCount, "a prefix")
  }

  /// What is never allowed stays so, whatever is private.
  private static func checkPolicy(_ address: IPAddress) {
    let open = AddressPolicy(privateBlocks: nil)
    let closed = AddressPolicy(privateBlocks: [])
    if closed.allows(address) { precondition(open.allows(address), "narrower allows more") }
    if address.isPrivate { precondition(!closed.allows(address), "a private address") }
  }

  static func checkBytes(_ text: ByteString) {
    for count in [4, 16] where text.count >= count {
      text.withBytes { raw in
        guard let address = IPAddress(UnsafeRawBufferPointer(rebasing: raw[0..<count])) else {
          preconditionFailure("bytes that are no address")
        }
        precondition(IPAddress(address.text) == address, "written again it differs")
        checkPolicy(address)
      }
    }
  }

  /// Wider blocks hold what narrower ones of the same address hold.
  static func checkPairs(_ parts: [ByteString]) {
    guard parts.count >= 2, let block = AddressBlock(parts[0]), let host = IPAddress(parts[1])
    else { return }
    guard block.contains(host), block.prefixBitCount > 0 else { return }
    let wider = Buffer()
    wider.append(block.address.text)
    wider.append("/")
    wider.append(decimal: block.prefixBitCount - 1)
    precondition(AddressBlock(wider.byteString)?.contains(host) == true, "wider holds less")
  }
}
