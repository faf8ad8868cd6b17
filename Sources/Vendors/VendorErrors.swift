// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// What a vendor's error codes mean, as its row says.
///
/// A row has lines of `meaning|code|code`. A code is exact, as a string or a number; one that ends
/// with `*` is a beginning; one that begins with `~` is the beginning of the message, for errors
/// that have no code of their own.
package struct VendorErrors {
  /// The HTTP status that it should have had.
  package let status: Int
  package let meaning: FailureMeaning
  /// The code that says so.
  package let code: ByteString

  /// What to do about it.
  package var action: FailureAction {
    switch meaning {
    case .keyRefused: status == 403 ? .failover : .disable
    case .accountEmpty: .disable
    case .modelMissing, .tooManyRequests: .failover
    case .overloaded, .timeout, .broken: .retry
    case .contextTooLong, .contentRefused, .unspecified: .client
    }
  }

  private static let errorCode: [StaticString] = ["error", "code"]
  private static let errorType: [StaticString] = ["error", "type"]
  private static let code: [StaticString] = ["code"]
  private static let type: [StaticString] = ["type"]
  private static let statusCode: [StaticString] = ["base_resp", "status_code"]
  private static var places: [[StaticString]] { [errorCode, errorType, code, type, statusCode] }

  /// Judges an error by a row's table; nil when it says nothing.
  ///
  /// - Parameters:
  ///   - status: of the answer; nil for an error with status 200.
  ///   - text: the answer, which may be anything.
  ///   - message: the vendor's sentence.
  ///   - table: of the row.
  package init?(
    status: Int?, text: UnsafeRawBufferPointer, message: ByteString, _ table: StaticString
  ) {
    if table.utf8CodeUnitCount == 0 { return nil }
    let codes = VendorErrors.places.compactMap { VendorErrors.code($0, text) }
    for line in ByteString(table).list(separatedBy: 0x0A) {
      let words = line.list(separatedBy: UInt8(ascii: "|"))
      guard let name = words.first,
        let code = VendorErrors.match(words.dropFirst(), codes, message),
        let (meaning, own) = VendorErrors.meaning(name, status)
      else { continue }
      (self.status, self.meaning, self.code) = (own, meaning, code)
      return
    }
    return nil
  }

  /// The string or number at a place.
  package static func code(_ path: [StaticString], _ text: UnsafeRawBufferPointer) -> ByteString? {
    guard let range = JSONQuery.find(path, in: text) else { return nil }
    let lexeme = UnsafeRawBufferPointer(rebasing: text[range])
    guard range.count <= 128, let kind = JSONQuery.kind(of: lexeme) else { return nil }
    return kind == .number ? ByteString(lexeme) : JSONString.unescaped(lexeme)
  }

  private static func match(
    _ words: ArraySlice<ByteString>, _ codes: [ByteString], _ message: ByteString
  ) -> ByteString? {
    for word in words {
      if word.bytes.first == UInt8(ascii: "~") {
        if message.bytes.starts(with: word.bytes.dropFirst()) { return codes.first ?? .empty }
      } else if word.bytes.last == UInt8(ascii: "*") {
        for code in codes where code.bytes.starts(with: word.bytes.dropLast()) { return code }
      } else if codes.contains(word) {
        return word
      }
    }
    return nil
  }

  /// What a line's first word stands for, and the status for it.
  private static func meaning(
    _ name: ByteString, _ status: Int?
  ) -> (meaning: FailureMeaning, status: Int)? {
    // The key, for this model or in this region only.
    if name == "denied" { return (.keyRefused, 403) }
    let meaning = FailureMeaning(name)
    switch meaning {
    case .accountEmpty: return (meaning, 402)
    case .keyRefused: return (meaning, 401)
    case .modelMissing: return (meaning, 404)
    case .tooManyRequests: return (meaning, 429)
    case .contentRefused, .contextTooLong: return (meaning, 400)
    case .overloaded: return (meaning, 503)
    case .timeout: return (meaning, 504)
    case .broken: return (meaning, 502)
    case .unspecified: break
    }
    // A code that comes with several statuses says less than the status.
    switch status ?? 400 {
    case 401...404, 408, 409, 429, 500...: return nil
    case let status: return (.unspecified, status)
    }
  }
}

extension ErrorAnswer {
  /// The same as the table of a vendor's row judges it; unchanged when that says nothing.
  ///
  /// `text`: the answer, which may be anything.
  @inline(never)
  package func judged(by table: StaticString, _ text: UnsafeRawBufferPointer) -> ErrorAnswer {
    let own = VendorErrors(
      status: status < 300 ? nil : status, text: text, message: message, table)
    guard let own else { return self }
    return ErrorAnswer(
      status: own.status, message: message, code: own.code, action: own.action,
      meaning: own.meaning)
  }
}
