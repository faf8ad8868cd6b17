// SPDX-License-Identifier: MIT
import Foundation
import MiniHTTP
import Platform
import Testing
import Vendors

@testable import TinyGateway

/// `docs/openapi.json` against the endpoint table, `docs/API.md` and the sources.
struct AdminContractTests {
  private typealias Object = [String: Any]

  private let root: Object
  private let components: Object

  init() throws {
    let data = Data(Document.openAPI.plain().bytes)
    root = try #require(try JSONSerialization.jsonObject(with: data) as? Object)
    components = try #require(root["components"] as? Object)
  }

  /// What is at `#/components/…`, or the object itself when it refers to nothing.
  private func resolved(_ object: Object) throws -> Object {
    guard let reference = object["$ref"] as? String else { return object }
    var found: Any? = root
    for part in reference.dropFirst(2).split(separator: "/") {
      found = (found as? Object)?[String(part)]
    }
    return try #require(found as? Object, "\(reference) leads nowhere")
  }

  private func operation(_ endpoint: Endpoint) throws -> Object {
    let item = (root["paths"] as? Object)?[endpoint.path.text] as? Object
    let method = ByteString(endpoint.method.token).text.lowercased()
    return try #require(
      item?[method] as? Object, "not in openapi.json: \(method) \(endpoint.path)")
  }

  private func parameters(_ operation: Object, in place: String) throws -> Set<String> {
    let all = try (operation["parameters"] as? [Object] ?? []).map(resolved)
    return Set(all.filter { $0["in"] as? String == place }.compactMap { $0["name"] as? String })
  }

  /// The properties of a JSON body; nil where none is described.
  private func bodyFields(_ operation: Object) throws -> Set<String>? {
    guard let body = operation["requestBody"] as? Object,
      let media = (body["content"] as? Object)?["application/json"] as? Object
    else { return nil }
    let schema = try #require(media["schema"] as? Object)
    var names: Set<String> = []
    for part in try ([schema] + (schema["allOf"] as? [Object] ?? [])).map(resolved) {
      let properties = part["properties"] as? Object ?? [:]
      names.formUnion(properties.keys)
      if !properties.isEmpty { #expect(part["additionalProperties"] as? Bool == false) }
    }
    return names
  }

  // The table.

  @Test func hasTheCallsOfTheTable() throws {
    let paths = try #require(root["paths"] as? Object)
    var described: Set<String> = []
    for (path, item) in paths {
      for method in try #require(item as? Object).keys {
        described.insert(method.uppercased() + " " + path)
      }
    }
    let table = EndpointTable.all.map {
      ByteString($0.method.token).text + " " + $0.path.text
    }
    #expect(described == Set(table))
  }

  @Test func knowsTheFieldsOfEachBody() throws {
    // The settings have whatever names GET of the same path tells.
    for endpoint in EndpointTable.all
    where !endpoint.fields.isEmpty && ByteString(endpoint.path) != "/api/v1/config" {
      let operation = try operation(endpoint)
      let call = "\(endpoint.method.token) \(endpoint.path)"
      #expect(try bodyFields(operation) == Set(endpoint.fields.map(\.text)), "\(call)")
      let isRequired = (operation["requestBody"] as? Object)?["required"] as? Bool ?? false
      #expect(isRequired != endpoint.isBodyOptional, "\(call)")
    }
  }

  @Test func describesNoBodyWhereNoneIsRead() throws {
    for endpoint in EndpointTable.all where endpoint.fields.isEmpty {
      // What takes its body as it comes reads it in a way of its own.
      if case .receive = endpoint.run { continue }
      #expect(try bodyFields(operation(endpoint)) == nil, "\(endpoint.path)")
    }
  }

  @Test func knowsTheParametersOfEachCall() throws {
    for endpoint in EndpointTable.all {
      let pages = endpoint.isList ? ["page", "page_size"] : []
      let expected = Set(endpoint.parameters.map(\.text) + pages)
      let operation = try operation(endpoint)
      let call = "\(endpoint.method.token) \(endpoint.path)"
      #expect(try parameters(operation, in: "query") == expected, "\(call)")
      let hasID = endpoint.path.text.contains("{id}")
      #expect(try parameters(operation, in: "path") == (hasID ? ["id"] : []), "\(call)")
    }
  }

  @Test func saysWhoMayCall() throws {
    for endpoint in EndpointTable.all {
      let operation = try operation(endpoint)
      let call = "\(endpoint.method.token) \(endpoint.path)"
      let security = try #require(operation["security"] as? [[String: [String]]], "\(call)")
      let access = "\(endpoint.access)"
      #expect(security == (access == "anyone" ? [] : [["bearer": [access]]]), "\(call)")
    }
  }

  @Test func namesTheStatusesThatFollowFromTheRow() throws {
    for endpoint in EndpointTable.all {
      let operation = try operation(endpoint)
      let call = "\(endpoint.method.token) \(endpoint.path)"
      let statuses = Set(try #require(operation["responses"] as? Object).keys)
      var expected: Set = ["400"]
      if "\(endpoint.access)" != "anyone" { expected.formUnion(["401", "403"]) }
      if endpoint.path.text.contains("{id}") { expected.insert("404") }
      if !endpoint.fields.isEmpty { expected.formUnion(["413", "415"]) }
      #expect(statuses.isSuperset(of: expected), "\(call) lacks \(expected.subtracting(statuses))")
      #expect(statuses.contains { $0.hasPrefix("2") }, "\(call)")
    }
  }

  // The document itself.

  @Test func refersToWhatExistsAndHasNothingElse() throws {
    var used: Set<String> = []
    func walk(_ value: Any) throws {
      if let object = value as? Object {
        if let reference = object["$ref"] as? String {
          used.insert(reference)
          _ = try resolved(object)
        }
        for member in object.values { try walk(member) }
      } else if let list = value as? [Any] {
        for element in list { try walk(element) }
      }
    }
    try walk(root)
    for kind in ["schemas", "responses", "parameters", "headers"] {
      for name in try #require(components[kind] as? Object).keys {
        #expect(used.contains("#/components/\(kind)/\(name)"), "nobody uses \(kind)/\(name)")
      }
    }
  }

  @Test func givesEachCallANameOfItsOwn() throws {
    var seen: Set<String> = []
    for endpoint in EndpointTable.all {
      let operation = try operation(endpoint)
      #expect(seen.insert(try #require(operation["operationId"] as? String)).inserted)
      #expect((operation["summary"] as? String)?.hasSuffix(".") == true, "\(endpoint.path)")
    }
  }

  @Test func hasOneLineForEachCallAndNoNeedlessSpace() throws {
    let text = String(decoding: Document.openAPI.plain().bytes, as: UTF8.self)
    for line in text.split(separator: "\n") {
      #expect(!line.contains("\": ") && !line.hasPrefix(" "), "\(line.prefix(60))")
    }
    for endpoint in EndpointTable.all {
      let name = try #require(try operation(endpoint)["operationId"] as? String)
      let lines = text.split(separator: "\n").filter { $0.contains("\"operationId\":\"\(name)\"") }
      #expect(lines.count == 1, "\(name)")
    }
  }

  @Test func hasTheChannelTypesOfTheTable() throws {
    let schemas = try #require(components["schemas"] as? Object)
    let input = try #require(schemas["ChannelInput"] as? Object)
    let type = try #require((input["properties"] as? Object)?["type"] as? Object)
    let described = try #require(type["enum"] as? [String])
    #expect(described.sorted() == VendorRegistry.all.map { ByteString($0.slug).text }.sorted())
  }

  // Errors.

  /// Status and code pairs of the document's failures.
  private func describedErrors() throws -> Set<String> {
    var pairs: Set<String> = []
    for (status, response) in try #require(components["responses"] as? Object) {
      guard Int(status) != nil else { continue }
      let text = String(
        decoding: try JSONSerialization.data(withJSONObject: response), as: UTF8.self)
      let match = try #require(text.firstMatch(of: /"enum":\[([^\]]*)\]/), "\(status)")
      for code in match.1.split(separator: ",") {
        pairs.insert(status + " " + code.filter { $0 != "\"" })
      }
    }
    return pairs
  }

  private func text(of path: ByteString) throws -> String {
    let here = ByteString(utf8: #filePath)
    let top = File.directory(of: File.directory(of: File.directory(of: here)))
    return try File.read(top + "/" + path, limit: 1 << 20).text
  }

  @Test func hasTheErrorsOfTheReference() throws {
    var pairs: Set<String> = []
    for line in try text(of: "docs/API.md").split(separator: "\n") {
      guard let row = line.firstMatch(of: /^\| (\d[\d, ]*) \| (.*) \|$/) else { continue }
      for status in row.1.matches(of: /\d+/) {
        for code in row.2.matches(of: /`([a-z_]+)`/) { pairs.insert("\(status.0) \(code.1)") }
      }
    }
    let described = try describedErrors()
    for pair in described { #expect(pairs.contains(pair), "not in API.md: \(pair)") }
    // The rows for several statuses do not say which code belongs to which.
    let codes = Set(described.map { $0.split(separator: " ")[1] })
    for pair in pairs where pair.hasSuffix("method_not_allowed") == false {
      #expect(codes.contains(pair.split(separator: " ")[1]), "not in openapi.json: \(pair)")
    }
  }

  @Test func hasTheErrorsOfTheSources() throws {
    let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let folder = here.joined(separator: "/") + "/Sources/TinyGateway"
    let described = try describedErrors()
    // An answer that no client sees, and one that belongs to no described call.
    let others: Set = ["503 client_gone", "405 method_not_allowed"]
    var found = 0
    let files = try #require(FileManager.default.enumerator(atPath: folder))
    for case let name as String in files where name.hasSuffix(".swift") {
      let source = try text(of: "Sources/TinyGateway/" + ByteString(utf8: name))
      for match in source.matches(of: /(AdminError|self\.init)\(\s*(\d{3}), "([a-z_]+)"/) {
        guard match.1 == "AdminError" || name == "Admin/AdminError.swift" else { continue }
        let pair = "\(match.2) \(match.3)"
        found += 1
        #expect(described.contains(pair) || others.contains(pair), "\(name): \(pair)")
      }
    }
    #expect(found > 30)
  }
}
