// SPDX-License-Identifier: MIT
import Platform

/// What paths of calls are made of.
extension CallFacts {
  /// A setting of the channel; empty when it is not set.
  @inline(never)
  package func setting(_ name: StaticString) -> ByteString {
    config[ByteString(name)] ?? .empty
  }

  /// The vendor's own path behind that of the base URL, which may be given with its beginning, or
  /// with a version segment (`/v1`) that the own path replaces.
  @inline(never)
  package func path(_ own: ByteString) -> ByteString {
    Vendor.joined(own.starts(with: "/v") ? Vendor.pathWithoutVersion(basePath) : basePath, own)
  }

  /// A name as segments of a path, such as `@cf/meta/llama-3`.
  ///
  /// - Throws: for characters that vendors' names do not have, and for segments that would lead
  ///   elsewhere: with them a client could reach other calls of the vendor with the channel's key.
  @inline(never)
  package static func segments(of name: ByteString) throws(ChatProblem) -> ByteString {
    let isPlain = name.bytes.allSatisfy { byte in
      ASCII.isLetter(byte) || ASCII.isDigit(byte)
        || ByteString("-._~@:/").bytes.contains(byte)
    }
    let isSound = name.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .allSatisfy { !$0.isEmpty && !$0.allSatisfy { $0 == UInt8(ascii: ".") } }
    guard isPlain, isSound else {
      throw ChatProblem("The model's name cannot be part of the vendor's path.", field: "model")
    }
    return name
  }

  /// A text as part of a query.
  static func encoded(_ text: ByteString) -> ByteString {
    let buffer = Buffer()
    PercentEncoding.append(text, to: buffer)
    return buffer.byteString
  }
}
