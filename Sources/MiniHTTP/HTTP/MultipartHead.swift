// SPDX-License-Identifier: MIT
import Platform

/// The header lines of one part.
struct MultipartHead {
  private(set) var name = ByteString.empty
  private(set) var isFile = false

  /// Reads lines that end with an empty one.
  init(_ bytes: [UInt8]) throws(MultipartError) {
    guard bytes.count >= 2, bytes[bytes.count - 2] == 0x0D, bytes[bytes.count - 1] == 0x0A else {
      throw MultipartError("has a header line without a proper end")
    }
    var hasDisposition = false
    var start = 0
    while start < bytes.count - 2 {
      guard let end = bytes.span.firstIndex(of: 0x0D, from: start), bytes[end + 1] == 0x0A else {
        throw MultipartError("has a header line without a proper end")
      }
      let line = bytes.span.extracting(start..<end)
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
        (0..<colon).allSatisfy({ HeadLines.isToken(bytes[start + $0]) }),
        HeadLines.isValue(line.extracting((colon + 1)..<line.count))
      else { throw MultipartError("has a header line that is none") }
      let key = line.extracting(0..<colon)
      let value = line.extracting((colon + 1)..<line.count)
      if key.equalsIgnoringCase("content-disposition") {
        guard !hasDisposition else {
          throw MultipartError("has a part with two Content-Disposition lines")
        }
        hasDisposition = true
        try readDisposition(value)
      } else if key.equalsIgnoringCase("content-transfer-encoding") {
        let coding = ByteString(value).trimmed.lowercased
        guard coding == "binary" || coding == "8bit" || coding == "7bit" else {
          throw MultipartError("has a part in a transfer encoding, which RFC 7578 forbids")
        }
      }
      start = end + 2
    }
    guard hasDisposition else {
      throw MultipartError("has a part without Content-Disposition")
    }
  }

  private mutating func readDisposition(_ value: Span<UInt8>) throws(MultipartError) {
    var parameters = HeaderParameters(value)
    var names = 0
    var fileNames = 0
    var isOdd = !(parameters.kind == "form-data")
    while parameters.advance() {
      if parameters.name == "name" {
        names += 1
        name = parameters.value
        // Some readers take the backslash for an escape, others for a letter.
        isOdd = isOdd || parameters.hasEscape
      } else if parameters.name == "filename" {
        fileNames += 1
        isFile = true
      } else if parameters.name == "filename*" {
        isFile = true
      } else if parameters.name == "name*" {
        isOdd = true
      }
    }
    guard !isOdd, !parameters.isBroken, names == 1, fileNames <= 1,
      1...MultipartParser.nameByteLimit ~= name.count
    else { throw MultipartError("has a part whose Content-Disposition cannot be read") }
  }
}
