// SPDX-License-Identifier: MIT
import Foundation
import Platform
import Testing

@testable import Vendors

/// What of a request AWS Bedrock gets, beyond the samples.
struct BedrockRequestTests {
  private let fixture = DialectFixture("bedrock", .bedrockConverse, key: "k")

  private func request(_ members: String, model: String = "anthropic.claude-x") -> String {
    #"{"model":"\#(model)","messages":[{"role":"user","content":"x"}],\#(members)}"#
  }

  private let question = #""messages":[{"role":"user","content":[{"text":"x"}]}]"#

  @Test func joinsNeighboursAndLeavesEmptyTextsOut() throws {
    try fixture.expect(
      #"""
      {"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":"b"},
      {"role":"assistant","content":""},{"role":"user","content":[{"type":"text","text":""},
      {"type":"text","text":"c"}]}]}
      """#,
      gives: #"{"messages":[{"role":"user","content":[{"text":"a"},{"text":"b"},{"text":"c"}]}]}"#)
  }

  @Test func putsAllResultsOfATurnIntoOneMessage() throws {
    let calls = ["a", "b"].map {
      #"{"id":"\#($0)","type":"function","function":{"name":"f","arguments":"{}"}}"#
    }.joined(separator: ",")
    try fixture.expect(
      #"""
      {"model":"m","messages":[{"role":"user","content":"x"},
      {"role":"assistant","content":"so","tool_calls":[\#(calls)]},
      {"role":"tool","tool_call_id":"a","content":"1"},
      {"role":"tool","tool_call_id":"b","content":""}]}
      """#,
      gives: #"""
        {"messages":[{"role":"user","content":[{"text":"x"}]},{"role":"assistant","content":[
        {"text":"so"},{"toolUse":{"toolUseId":"a","name":"f","input":{}}},
        {"toolUse":{"toolUseId":"b","name":"f","input":{}}}]},{"role":"user","content":[
        {"toolResult":{"toolUseId":"a","content":[{"text":"1"}],"status":"success"}},
        {"toolResult":{"toolUseId":"b","content":[{"json":{}}],"status":"success"}}]}],
        "toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"f","inputSchema":{"json":
        {"type":"object","properties":{}}}}}]}}
        """#)
  }

  @Test func writesChoicesOfTools() throws {
    let tools = #""tools":[{"type":"function","function":{"name":"f"}}]"#
    let written =
      #"{"tools":[{"toolSpec":{"name":"f","description":"f","inputSchema":{"json":"#
      + #"{"type":"object","properties":{}}}}}]"#
    for (choice, expected) in [
      (#""required""#, #","toolChoice":{"any":{}}}"#),
      (
        #"{"type":"function","function":{"name":"f"}}"#, #","toolChoice":{"tool":{"name":"f"}}}"#
      ),
    ] {
      try fixture.expect(
        request(#"\#(tools),"tool_choice":\#(choice)"#),
        gives: #"{\#(question),"toolConfig":\#(written)\#(expected)}"#)
    }
    try fixture.expect(
      request(#"\#(tools),"tool_choice":"none""#), gives: "{\(question)}")
  }

  @Test func writesClaudesOwnFields() throws {
    try fixture.expect(
      request(#""top_k":40,"temperature":1.5"#),
      gives: #"""
        {\#(question),"inferenceConfig":{"temperature":1},
        "additionalModelRequestFields":{"top_k":40}}
        """#)
    try fixture.expect(
      request(#""top_k":40,"seed":1"#, model: "amazon.nova-pro-v1:0"), gives: "{\(question)}")
  }

  @Test func letsClaudeThink() throws {
    func body(_ budget: Int, _ limit: Int) -> String {
      #"""
      {\#(question),"inferenceConfig":{"maxTokens":\#(limit)},"additionalModelRequestFields":
      {"thinking":{"type":"enabled","budget_tokens":\#(budget)}}}
      """#
    }
    try fixture.expect(
      request(#""reasoning_effort":"medium","temperature":0.2"#), gives: body(4096, 8192))
    try fixture.expect(
      request(#""reasoning_effort":"high","max_tokens":2000"#), gives: body(1999, 2000))
    // Too little room, other models, and no wish.
    try fixture.expect(
      request(#""reasoning_effort":"high","max_tokens":1000"#),
      gives: #"{\#(question),"inferenceConfig":{"maxTokens":1000}}"#)
    try fixture.expect(
      request(#""reasoning_effort":"high""#, model: "meta.llama3"), gives: "{\(question)}")
    try fixture.expect(request(#""reasoning_effort":"none""#), gives: "{\(question)}")
  }

  /// Claude refuses to go on thinking after calls whose thoughts are gone.
  @Test func doesNotLetClaudeThinkAfterCallsWithoutThoughts() throws {
    let body = try fixture.encoded(
      #"""
      {"model":"anthropic.claude-x","reasoning_effort":"high","messages":[
      {"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[
      {"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"a","content":"1"}]}
      """#)
    #expect(body["additionalModelRequestFields"] == nil && body["toolConfig"] != nil)
  }

  @Test func writesSchemas() throws {
    try fixture.expect(
      request(
        #"""
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":
        { "type" : "object", "title": "a \" b" }}}
        """#),
      gives: #"""
        {\#(question),"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":
        {"name":"n","schema":"{\"type\":\"object\",\"title\":\"a \\\" b\"}"}}}}}
        """#)
  }

  private func file(_ name: String, _ type: String) -> String {
    #"""
    {"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"file",
    "file":{"filename":"\#(name)","file_data":"data:\#(type);base64,AAAA"}}]}]}
    """#
  }

  @Test func writesDocuments() throws {
    try fixture.expect(
      file("an 1.pdf", "application/pdf"),
      gives: #"""
        {"messages":[{"role":"user","content":[{"text":"x"},{"document":{"format":"pdf",
        "name":"an-1","source":{"bytes":"AAAA"}}}]}]}
        """#)
    let refusal = try fixture.refusal(file("a.exe", "application/octet-stream"))
    #expect(refusal?.contains("file") == true)
  }

  @Test func refusesWhatItCannotExpress() throws {
    for (members, field) in [
      (#""n":2"#, "n"), (#""logit_bias":{"1":2}"#, "logit_bias"),
      (#""response_format":{"type":"json_object"}"#, "response_format"),
    ] {
      #expect(try fixture.refusal(request(members))?.contains(field) == true)
    }
    let refusal = try fixture.refusal(
      #"""
      {"model":"m","messages":[{"role":"user","content":[{"type":"image_url",
      "image_url":{"url":"https://example.com/a.png"}}]}]}
      """#)
    #expect(refusal?.contains("address") == true)
  }
}
