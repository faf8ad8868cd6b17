// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import Vendors

/// docs/conversions.md says what the code does.
///
/// Its tables are made from the code: `CONVERSIONS=write swift test --filter Conversions` writes
/// them anew; otherwise each line that is missing or too much is told.
@Suite(.serialized) struct ConversionsDocumentTests {
  private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    .dropLast(3).joined(separator: "/")

  /// A row for each part of a request, in the document's words.
  private static let rows: [(field: ChatFields, name: String)] = [
    (.system, "system and developer messages"), (.temperature, "`temperature`"),
    (.topP, "`top_p`"), (.topK, "`top_k`"), (.seed, "`seed`"), (.stop, "`stop`"),
    (.maxTokens, "`max_tokens`, `max_completion_tokens`"),
    (.presencePenalty, "`presence_penalty`"), (.frequencyPenalty, "`frequency_penalty`"),
    (.logitBias, "`logit_bias`"), (.logprobs, "`logprobs`, `top_logprobs`"),
    (.count, "`n` above 1"), (.jsonObject, "`response_format`: `json_object`"),
    (.jsonSchema, "`response_format`: `json_schema`"), (.reasoning, "`reasoning_effort`"),
    (.tools, "`tools`: functions"), (.builtInTools, "`tools` of other types"),
    (.toolChoice, "`tool_choice` other than `auto`"),
    (.parallelTools, "`parallel_tool_calls`: `false`"),
    (.toolHistory, "tool calls and results in `messages`"), (.images, "pictures in the request"),
    (.imageURLs, "pictures by address"), (.audio, "`input_audio`"), (.files, "`file`"),
    (.audioOutput, "`modalities`, `audio`"), (.other, "what the client's own list below refuses"),
  ]

  /// A client's protocol: a smallest request, and its fields that mean nothing to other dialects.
  private static let clients: [(client: ClientDialect, request: String, fields: String)] = [
    (
      .openAI, #"{"model":"m","messages":[{"role":"user","content":"a"}]}"#,
      """
      function_call functions metadata prediction prompt_cache_key prompt_cache_retention \
      safety_identifier service_tier store verbosity web_search_options
      """
    ),
    (
      .completions, #"{"model":"m","prompt":"a"}"#,
      "best_of echo metadata safety_identifier service_tier store suffix"
    ),
    (
      .responses, #"{"model":"m","input":"a"}"#,
      """
      background conversation max_tool_calls metadata previous_response_id prompt \
      prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier service_tier \
      store stream_options truncation
      """
    ),
    (
      .anthropic, #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#,
      """
      cache_control container context_management diagnostics inference_geo mcp_servers metadata \
      service_tier speed user_profile_id workspace_id
      """
    ),
    (
      .gemini, #"{"contents":[{"role":"user","parts":[{"text":"a"}]}]}"#,
      "cachedContent labels mediaResolution safetySettings serviceTier store"
    ),
    (
      .ollamaChat, #"{"model":"m","messages":[{"role":"user","content":"a"}]}"#,
      "keep_alive shift truncate"
    ),
    (
      .ollamaGenerate, #"{"model":"m","prompt":"a"}"#,
      "context keep_alive raw shift suffix template truncate"
    ),
  ]

  /// Each once; without those that are only passed on.
  private static var dialects: [Dialect] {
    var seen: Set<ByteString> = []
    return DialectKind.allCases.map(\.dialect).filter {
      !$0.writes.isEmpty && seen.insert(ByteString($0.name)).inserted
    }
  }

  // What the code does.

  private static func fieldTable() -> [String] {
    let names = dialects.map { ByteString($0.name).text }
    let head = ["| | " + names.joined(separator: " | ") + " |"]
    let rule = ["|---" + String(repeating: "|:-:", count: names.count) + "|"]
    return head + rule
      + rows.map { row in
        let cells = dialects.map { dialect in
          if dialect.writes.contains(row.field) { return "yes" }
          return dialect.drops.contains(row.field) ? "–" : "no"
        }
        return "| \(row.name) | " + cells.joined(separator: " | ") + " |"
      }
  }

  private static func clientTable() throws -> [String] {
    var lines = ["| client | left out | refused |", "|---|---|---|"]
    for (client, request, fields) in clients {
      var cells: [Bool: [String]] = [:]
      for field in fields.split(separator: " ").map(String.init) + ["any other"] {
        let body = request.dropLast() + #","\#(field)":"x"}"#
        let read = try client.read(try JSONDocument(ByteString(utf8: String(body))).root)
        let isRefused = read.fields.contains(.other)
        #expect(!isRefused || read.unknownField.text == field, "\(client.name)")
        cells[isRefused, default: []].append(field == "any other" ? field : "`\(field)`")
      }
      let texts = [false, true].map { (cells[$0] ?? ["none"]).joined(separator: ", ") }
      lines.append("| \(ByteString(client.name).text) | \(texts[0]) | \(texts[1]) |")
    }
    return lines
  }

  // Comparing.

  private func compare(_ mark: String, _ expected: [String]) throws {
    let path = ConversionsDocumentTests.root + "/docs/conversions.md"
    let document = try String(contentsOfFile: path, encoding: .utf8)
    let (begin, end) = ("<!-- \(mark) -->\n", "<!-- end of \(mark) -->")
    let first = try #require(document.range(of: begin), "the mark \(mark)")
    let last = try #require(document.range(of: end), "the end of \(mark)")
    let seen = document[first.upperBound..<last.lowerBound].split(separator: "\n").map(String.init)
    if ProcessInfo.processInfo.environment["CONVERSIONS"] == "write" {
      let text = expected.joined(separator: "\n") + "\n"
      try document.replacingCharacters(in: first.upperBound..<last.lowerBound, with: text)
        .write(toFile: path, atomically: true, encoding: .utf8)
      return
    }
    let missing = expected.filter { !seen.contains($0) }
    let surplus = seen.filter { !expected.contains($0) }
    #expect(missing.isEmpty, "missing in docs/conversions.md")
    #expect(surplus.isEmpty, "false in docs/conversions.md")
    #expect(missing + surplus != [] || seen == expected, "another order in docs/conversions.md")
  }

  @Test func tellsWhatEachDialectWrites() throws {
    try compare("fields", ConversionsDocumentTests.fieldTable())
  }

  @Test func tellsWhatEachClientMayAskForInVain() throws {
    try compare("clients", try ConversionsDocumentTests.clientTable())
  }

  /// The lists above have everything that the sources have.
  @Test func knowsAllFieldsAndClients() throws {
    let sources = ConversionsDocumentTests.root + "/Sources/Vendors"
    let fields = try String(contentsOfFile: sources + "/Chat/ChatFields.swift", encoding: .utf8)
    let bits = fields.components(separatedBy: "= ChatFields(rawValue: 1 <<").count - 1
    let known = ConversionsDocumentTests.rows.reduce(into: ChatFields()) { $0.insert($1.field) }
    #expect(known.rawValue.nonzeroBitCount == bits, "a field without a row")
    var found: Set<String> = []
    let files = FileManager.default.enumerator(atPath: sources)?.compactMap { $0 as? String } ?? []
    for file in files where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: sources + "/" + file, encoding: .utf8)
      for piece in text.components(separatedBy: "ClientDialect(\n").dropFirst() {
        if let name = piece.split(separator: "\"").dropFirst().first { found.insert(String(name)) }
      }
    }
    let listed = ConversionsDocumentTests.clients.map { ByteString($0.client.name).text }
    #expect(found.subtracting(listed).isEmpty, "clients without a row")
  }

  @Test func neverWritesAndDropsTheSame() {
    for dialect in ConversionsDocumentTests.dialects {
      #expect(dialect.writes.isDisjoint(with: dialect.drops), "\(dialect.name)")
    }
  }
}
