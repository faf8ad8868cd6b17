// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// Google's API as clients speak it: what is read of requests, what answers look like.
struct GeminiClientTests {
  private let client = ClientDialect.gemini

  private func read(_ text: String) throws -> ChatRequest {
    try client.read(try JSONDocument(ByteString(utf8: text)).root)
  }

  /// What an OpenAI vendor is sent.
  private func converted(_ text: String) throws -> [String: Any] {
    let output = Buffer()
    OpenAIEncoder.encode(try read(text), CallFacts(), output)
    let value = try JSONSerialization.jsonObject(with: Data(Array(output.readable)))
    return try #require(value as? [String: Any])
  }

  private func expect(
    _ seen: Any?, _ expected: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    try DialectFixture.expect(seen, is: expected, location)
  }

  /// The samples of requests to Gemini mean the same when a client sends them.
  @Test(arguments: ["chat", "image"])
  func readsTheSamples(_ name: String) throws {
    let fixture = DialectFixture("gemini", .openAI)
    let text = String(
      decoding: try fixture.bytes("\(name).request.vendor.json"), as: UTF8.self)
    var expected = try #require(
      try fixture.json("\(name).request.openai.json") as? [String: Any])
    expected["user"] = nil
    expected["model"] = ""
    try DialectFixture.expectEqual(
      try converted(text), expected, #_sourceLocation)
  }

  /// Read and written again, requests stay the same.
  @Test(arguments: ["chat", "tools", "image"])
  func keepsWhatItReads(_ name: String) throws {
    let fixture = DialectFixture("gemini", .gemini)
    let request = try fixture.request("\(name).request.vendor.json", client)
    try DialectFixture.expectEqual(
      try JSONSerialization.jsonObject(with: try fixture.encode(request)),
      try fixture.json("\(name).request.vendor.json"), #_sourceLocation)
  }

  @Test func joinsCallsAndResultsByName() throws {
    let body = try converted(
      #"{"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model","parts":["#
        + #"{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"f","args":{}}},"#
        + #"{"functionCall":{"id":"own","name":"g"},"thoughtSignature":"s"}]},"#
        + #"{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"result":"one"}}},"#
        + #"{"functionResponse":{"name":"f","response":{"output":[2]}}},"#
        + #"{"functionResponse":{"id":"own","name":"g","response":{"a":1,"b":2}}},"#
        + #"{"text":"and?"}]}]}"#)
    let messages = try #require(body["messages"] as? [[String: Any]])
    #expect(
      messages.map { $0["role"] as? String } == [
        "user", "assistant", "tool", "tool", "tool", "user",
      ])
    let calls = try #require(messages[1]["tool_calls"] as? [[String: Any]])
    let ids = calls.map { $0["id"] as? String }
    #expect(Set(ids).count == 3)
    #expect(ids[2] == "own")
    #expect(messages[2...4].map { $0["tool_call_id"] as? String } == ids)
    #expect(messages[2...4].map { $0["content"] as? String } == ["one", "[2]", #"{"a":1,"b":2}"#])
    try expect(calls[2]["extra_content"], #"{"google":{"thought_signature":"s"}}"#)
  }

  @Test func readsToolsAndSchemasOfGooglesForm() throws {
    let body = try converted(
      #"{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"function_declarations":["#
        + #"{"name":"f","description":"d","parameters":{"type":"OBJECT","properties":{"#
        + #""type":{"type":"STRING","nullable":true},"n":{"type":"ARRAY","items":"#
        + #"{"type":"INTEGER"}}},"propertyOrdering":["n","type"]}},"#
        + #"{"name":"g","parametersJsonSchema":{"type":"object"}}]}],"#
        + #""tool_config":{"function_calling_config":{"mode":"ANY","#
        + #""allowed_function_names":["f"]}}}"#)
    try expect(
      body["tools"],
      #"[{"type":"function","function":{"name":"f","description":"d","parameters":{"#
        + #""type":"object","properties":{"type":{"type":["string","null"]},"#
        + #""n":{"type":"array","items":{"type":"integer"}}}}}},"#
        + #"{"type":"function","function":{"name":"g","parameters":{"type":"object"}}}]"#)
    try expect(body["tool_choice"], #"{"type":"function","function":{"name":"f"}}"#)
  }

  /// Words of schemas may be names of members.
  @Test func keepsMembersThatAreNamedLikeWords() throws {
    let names = #""nullable":{"type":"BOOLEAN"},"propertyOrdering":{"type":"STRING"}"#
    let schema = #"{"type":"OBJECT","properties":{\#(names)},"propertyOrdering":["nullable"]}"#
    let text = GeminiSchema.standard(try JSONDocument(ByteString(utf8: schema)).root).text
    #expect(
      text == #"{"type":"object","properties":{"nullable":{"type":"boolean"},"#
        + #""propertyOrdering":{"type":"string"}}}"#)
  }

  @Test func readsSettingsInEitherWayOfWriting() throws {
    let body = try converted(
      #"{"contents":[{"parts":{"text":"x"}}],"system_instruction":{"parts":[{"text":"s"}]},"#
        + #""generation_config":{"temperature":0.5,"top_p":1,"topK":40.0,"max_output_tokens":5,"#
        + #""stop_sequences":["a"],"candidateCount":1,"response_mime_type":"application/json","#
        + #""thinking_config":{"thinking_budget":2000,"include_thoughts":true}},"#
        + #""safetySettings":[]}"#)
    try expect(
      body.filter { $0.key != "model" },
      #"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}],"#
        + #""temperature":0.5,"top_p":1,"top_k":40,"max_tokens":5,"stop":["a"],"#
        + #""response_format":{"type":"json_object"},"reasoning_effort":"medium"}"#)
  }

  @Test(arguments: [
    (
      #""generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"}}"#,
      #"{"type":"object"}"#
    ),
    (
      #""generationConfig":{"responseJsonSchema":{"type":"object"},"responseMimeType":"application/json"}"#,
      #"{"type":"object"}"#
    ),
  ])
  func readsSchemasOfAnswers(_ member: String, _ schema: String) throws {
    let body = try converted(#"{"contents":[{"parts":[{"text":"x"}]}],\#(member)}"#)
    try expect(
      body["response_format"],
      #"{"type":"json_schema","json_schema":{"name":"answer","schema":\#(schema)}}"#)
  }

  @Test(arguments: [
    (#"{"contents":[]}"#, "contents"), (#"{}"#, "contents"),
    (#"{"contents":[{"role":"system","parts":[{"text":"x"}]}]}"#, "contents"),
    (#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png"}}]}]}"#, "contents"),
    (
      #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"temperature":"1"}}"#,
      "temperature"
    ),
    (
      #"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":0}}"#,
      "maxOutputTokens"
    ),
    (#"{"contents":[{"parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{}]}]}"#, "tools"),
    (
      #"{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{"functionCallingConfig":{"mode":"X"}}}"#,
      "toolConfig"
    ),
  ])
  func refusesWhatIsWrong(_ text: String, _ field: String) throws {
    #expect {
      _ = try read(text)
    } throws: { error in
      (error as? ChatProblem)?.field.text == field
    }
  }

  @Test(arguments: [
    (#""generationConfig":{"candidateCount":2}"#, "candidateCount"),
    (#""generationConfig":{"responseLogprobs":true}"#, "responseLogprobs"),
    (#""generationConfig":{"responseModalities":["IMAGE"]}"#, "responseModalities"),
    (#""generationConfig":{"speechConfig":{}}"#, "speechConfig"),
    (#""cachedContent":"c""#, "cachedContent"),
    (
      #""tools":[{"googleSearch":{}}]"#,
      "tools of another type than function"
    ),
  ])
  func namesWhatAVendorHasNoWordsFor(_ member: String, _ name: String) throws {
    let request = try read(#"{"contents":[{"parts":[{"text":"x"}]}],\#(member)}"#)
    #expect {
      try request.check(
        writes: Dialect.openAI.writes, drops: Dialect.openAI.drops, vendor: "V",
        names: client.fieldNames)
    } throws: { error in
      (error as? ChatProblem)?.field.text == name
    }
  }
}
