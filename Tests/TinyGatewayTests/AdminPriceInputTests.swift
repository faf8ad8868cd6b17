// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store
import Testing

@testable import TinyGateway

/// Bodies of price requests, one by one and as lists.
struct AdminPriceInputTests {
  private func price(
    _ text: String, over old: PriceRecord? = nil
  ) throws(AdminError) -> PriceRecord {
    try PriceInput.apply(
      try AdminBody(RelayFixtures.buffer(text), knowing: PriceInput.fields), to: old)
  }

  private func refuses<R>(
    _ words: String, _ location: SourceLocation = #_sourceLocation,
    _ read: () throws(AdminError) -> R
  ) {
    do throws(AdminError) {
      _ = try read()
      Issue.record("accepted: \(words)", sourceLocation: location)
    } catch {
      #expect(error.status == 400, sourceLocation: location)
      #expect(
        error.message.text.contains(words), "\(error.message.text)", sourceLocation: location)
    }
  }

  @Test func takesAWholePrice() throws {
    let record = try price(
      """
      {"model":"gpt-4o*","prompt":"1.25","completion":"5","cached":"0.625","image":"40000",
      "audio_prompt":"20","audio_completion":"0.000001"}
      """)
    #expect(record.model == "gpt-4o*" && record.prompt.text == "1.25")
    #expect(record.completion?.text == "5" && record.cached?.text == "0.625")
    #expect(record.image?.text == "40000" && record.audioPrompt?.text == "20")
    #expect(record.audioCompletion?.text == "0.000001" && record.createdAt > 0)
    let cheaper = try price(#"{"prompt":"1","cached":null}"#, over: record)
    #expect(cheaper.prompt == .one && cheaper.cached == nil)
    #expect(cheaper.completion?.text == "5" && cheaper.createdAt == record.createdAt)
  }

  @Test(arguments: [
    ("{}", "model is missing"), (#"{"model":"a"}"#, "prompt is missing"),
    (#"{"model":"","prompt":"1"}"#, "model must have 1 to 128"),
    (#"{"model":"a b","prompt":"1"}"#, "model must be 1 to 128 characters"),
    (#"{"model":"a","prompt":1}"#, "prompt must be a decimal in quotes"),
    (#"{"model":"a","prompt":null}"#, "prompt must be a decimal in quotes"),
    (#"{"model":"a","prompt":"-1"}"#, "from 0 to 1000000"),
    (#"{"model":"a","prompt":"1000000.000001"}"#, "from 0 to 1000000"),
    (#"{"model":"a","prompt":"0.0000001"}"#, "at most 6 places"),
    (#"{"model":"a","prompt":"1","image":"x"}"#, "image must be"),
    (#"{"model":"a","prompt":"1","audio_prompt":true}"#, "audio_prompt must be"),
    (#"{"model":"a","prompt":"1","ratio":"1"}"#, "is not known here"),
  ])
  func refusesAWrongPrice(_ text: String, _ words: String) {
    refuses(words) { () throws(AdminError) in try price(text) }
  }

  @Test func knowsPatterns() {
    for good in ["*", "a", "gpt-4*", "*-mini", "a*b*c", "org/model:7b@x"] as [ByteString] {
      #expect(PriceInput.isPattern(good))
    }
    for bad in ["", "a b", "a?", "模型", "a\n"] as [ByteString] {
      #expect(!PriceInput.isPattern(bad))
    }
    #expect(!PriceInput.isPattern(ByteString(utf8: String(repeating: "*", count: 129))))
  }

  // Lists.

  private func list(_ text: String) throws(AdminError) -> [PriceRecord] {
    let body = try AdminBody(RelayFixtures.buffer("{\"prices\":\(text)}"), knowing: ["prices"])
    guard let value = body.value("prices") else { return [] }
    return try PriceInput.list(value)
  }

  @Test func readsALists() throws {
    let records = try list(#"[{"model":"a","prompt":"1"},{"model":"b*","prompt":"2"}]"#)
    #expect(records.map(\.model) == ["a", "b*"])
    #expect(try list("[]").isEmpty)
  }

  @Test func namesTheWrongEntry() {
    let good = #"{"model":"a","prompt":"1"}"#
    refuses(#"prices entry 2 ("b"): prompt is missing."#) { () throws(AdminError) in
      try list(#"[\#(good),{"model":"b"}]"#)
    }
    refuses(#"prices entry 2 ("a"): model is in the list twice."#) { () throws(AdminError) in
      try list("[\(good),\(good)]")
    }
    refuses("prices entry 1: must be an object.") { () throws(AdminError) in try list("[5]") }
    refuses(#"prices entry 1 ("a"): has the field "x", which is not known."#) {
      () throws(AdminError) in try list(#"[{"model":"a","prompt":"1","x":1}]"#)
    }
    refuses("prices must be a list of at most 2000 prices") { () throws(AdminError) in
      try list("{}")
    }
    let many = (0...2000).map { "{\"model\":\"m\($0)\",\"prompt\":\"1\"}" }.joined(separator: ",")
    refuses("at most 2000") { () throws(AdminError) in try list("[\(many)]") }
  }

  // One API's lists.

  private func ratios(
    _ models: String, _ completions: String? = nil
  ) throws(AdminError) -> OneAPIRatios {
    let more = completions.map { ",\"c\":\($0)" } ?? ""
    let body = try AdminBody(
      RelayFixtures.buffer("{\"m\":\(models)\(more)}"), knowing: ["m", "c"])
    guard let value = body.value("m") else { throw .field("m", "is missing") }
    return try OneAPIRatios(value, body.value("c"))
  }

  @Test func multipliesOneAPIsRatios() throws {
    let found = try ratios(
      #"{"gpt-4":15,"gpt-3.5":0.75,"gizmo-*":2.5,"tiny":1e-05}"#,
      #"{"gpt-4":2,"gpt-3.5":1.3333333333333333,"gone":3}"#)
    #expect(found.prices.map(\.model) == ["gpt-4", "gpt-3.5", "gizmo-*", "tiny"])
    #expect(found.prices.map(\.prompt.text) == ["15", "0.75", "2.5", "0.00001"])
    #expect(found.prices.map { $0.completion?.text } == ["30", "1", nil, nil])
    #expect(found.skipped == ["gone"])
  }

  @Test func leavesOutWhatIsNotKnownHere() throws {
    let found = try ratios(
      #"{"llama3-8b-8192(33)":0.15,"openrouter/auto":-500000,"odd":1}"#, #"{"odd":-2}"#)
    #expect(found.prices.isEmpty)
    #expect(found.skipped == ["llama3-8b-8192(33)", "openrouter/auto", "odd"])
  }

  @Test(arguments: [
    (#"{"a":"1"}"#, "{}", #"model_ratio entry "a": must be a number"#),
    (#"{"a":1000001}"#, "{}", #"model_ratio entry "a": must be a number"#),
    (#"{"a b":1}"#, "{}", #"model_ratio entry "a b": is no name"#),
    (#"{"a":1,"a":2}"#, "{}", "is there twice"),
    (#"{"a":1}"#, #"{"a":null}"#, #"completion_ratio entry "a": must be a number"#),
    (#"{"a":1}"#, #"{"a":1,"a":2}"#, #"completion_ratio entry "a": is there twice"#),
    (#"{"a":1000}"#, #"{"a":1001}"#, #"completion_ratio entry "a": must be a number"#),
    ("[]", "{}", "model_ratio must be an object"), ("{}", "5", "completion_ratio must be"),
  ])
  func refusesWrongRatios(_ models: String, _ completions: String, _ words: String) {
    refuses(words) { () throws(AdminError) in try ratios(models, completions) }
  }

  @Test(
    arguments: [
      ("15", "2", "30"), ("0", "5", "0"), ("0.1", "0.2", "0.02"), ("0.001", "0.0005", "0.000001"),
      ("0.001", "0.0004999999999999999999", "0"), ("1.3333333333333333", "0.75", "1"),
      ("0.2142857142857143", "3", "0.642857"), ("1e3", "1e-3", "1"), ("1E2", "2.50", "250"),
      ("1000000", "1", "1000000"), ("1000000.0000004", "1", "1000000"),
      ("99999999999999999999", "0.00000000000001", "999999.999999999999999999"),
      ("1000001", "1", nil), ("1e30", "1", nil), ("1e300", "0", nil), ("-1", "1", nil),
      ("1", "-1", nil), ("true", "1", nil), ("\"1\"", "1", nil), ("1", "", nil),
    ] as [(ByteString, ByteString, ByteString?)])
  func multipliesExactly(_ left: ByteString, _ right: ByteString, _ product: ByteString?) {
    let expected = product.map { text in
      // The table holds what is exact; six places of it are expected.
      text.withBytes { JSONNumber.fixedPoint($0, decimals: 6) } ?? -1
    }
    #expect(OneAPIRatios.product(left, right)?.millionths == expected)
    #expect(OneAPIRatios.product(right, left)?.millionths == expected)
  }
}
