// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct MethodTests {
  @Test func readsWhatItWrites() {
    for method: Method in [.get, .head, .post, .put, .delete, .options, .patch] {
      let read = Method(ByteString(method.token).bytes.span)
      #expect(read == method)
    }
  }

  @Test func isSpelledExactly() {
    for text: ByteString in ["", "get", "Get", "GET ", "GETX", "GE", "TRACE", "CONNECT"] {
      let read = Method(text.bytes.span)
      #expect(read == nil, "\(text.text)")
    }
  }
}
