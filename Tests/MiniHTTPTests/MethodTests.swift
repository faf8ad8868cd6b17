// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct MethodTests {
  @Test func readsWhatItWrites() {
    for method: Method in [.get, .head, .post, .put, .delete, .options, .patch] {
      #expect(Method(ByteString(method.token).bytes.span) == method)
    }
  }

  @Test func isSpelledExactly() {
    for text: ByteString in ["", "get", "Get", "GET ", "GETX", "GE", "TRACE", "CONNECT"] {
      #expect(Method(text.bytes.span) == nil, "\(text.text)")
    }
  }
}
