// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

struct AdminCSVWriterTests {
  private func check(_ text: ByteString?, _ expected: ByteString) {
    let buffer = Buffer()
    var csv = CSVWriter(buffer)
    csv.field(text: text)
    #expect(buffer.byteString == expected)
  }

  @Test func quotesWhatWouldBreakARow() {
    check("plain", "plain")
    check(nil, "")
    check("", "")
    check("a,b", "\"a,b\"")
    check("say \"hi\"", "\"say \"\"hi\"\"\"")
    check("a\r\nb", "\"a\r\nb\"")
    check("名字", "名字")
  }

  @Test func keepsNamesFromBecomingFormulas() {
    check("=1+1", "'=1+1")
    check("+49", "'+49")
    check("-x", "'-x")
    check("@cf/llama", "'@cf/llama")
    check("\tx", "'\tx")
    check("=HYPERLINK(\"http://a\",1)", "\"'=HYPERLINK(\"\"http://a\"\",1)\"")
    check("a=1", "a=1")
  }

  @Test func writesRows() {
    let buffer = Buffer()
    var csv = CSVWriter(buffer)
    csv.field(-5)
    csv.field(id: 0)
    csv.field(true)
    csv.field { $0.append("00ff") }
    csv.endRow()
    csv.field(id: 7)
    csv.field(text: nil)
    csv.endRow()
    #expect(buffer.byteString == "-5,,true,00ff\r\n7,\r\n")
  }
}
