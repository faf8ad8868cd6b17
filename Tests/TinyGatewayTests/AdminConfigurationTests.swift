// SPDX-License-Identifier: MIT
import Foundation
import MiniJSON
import Platform
import Testing

@testable import TinyGateway

/// What `/config` shows of a setting.
struct AdminConfigurationTests {
  /// The shown settings by key, the built-in ones but for those given.
  private func shown(_ file: String, environment: [String] = []) throws -> [String: [String: Any]] {
    let fixture = try ConfigurationFixture(file)
    let configuration = try fixture.load(environment: environment).get()
    var found: [String: [String: Any]] = [:]
    for (row, setting) in zip(ConfigurationTable.rows, configuration.settings) {
      let buffer = Buffer()
      var json = JSONWriter(buffer)
      ConfigurationEndpoint.write(row, setting, in: "Section", &json)
      let data = Data(buffer.byteString.bytes)
      found[row.name.text] = try #require(
        try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
    return found
  }

  @Test func tellsValuesAndWhereTheyCameFrom() throws {
    let shown = try shown(
      "port: 8080\ntime_zone: 'CST-8'\ntrusted_proxies: 10.0.0.0/8, ::1\nlog_level: warn\n",
      environment: ["TINYGATEWAY_QUEUE_LIMIT=9"])
    func check(_ key: String, _ value: String, _ source: String, default standard: String) {
      let setting = shown[key] ?? [:]
      #expect(setting["value"] as? String == value, "\(key)")
      #expect(setting["source"] as? String == source, "\(key)")
      #expect(setting["default"] as? String == standard, "\(key)")
      #expect(setting["secret"] as? Bool == false, "\(key)")
    }
    check("port", "8080", "file", default: "3000")
    check("time_zone", "CST-8", "file", default: "")
    check("trusted_proxies", "10.0.0.0/8, ::1/128", "file", default: "")
    check("log_level", "warn", "file", default: "info")
    check("queue_limit", "9", "environment", default: shown["queue_limit"]?["default"] as! String)
    check("metrics_addresses", "", "default", default: "")
    check("upstream_private", "allow", "default", default: "allow")
    #expect(shown["log_level"]?["line"] as? Int == 4)
    #expect((shown["log_level"]?["place"] as? String)?.hasSuffix("/config.yaml") == true)
    #expect(shown["log_level"]?["expects"] as? String == "one of debug, info, warn, error")
    #expect(shown["log_level"]?["reload"] as? Bool == true)
    #expect(shown["queue_limit"]?["line"] is NSNull)
  }

  @Test func showsNoSecret() throws {
    let shown = try shown("metrics_token: geheim1234567890\n")
    for (key, setting) in shown where setting["secret"] as? Bool == true {
      #expect(setting["value"] is NSNull, "\(key)")
      #expect(setting["is_set"] as? Bool == (key == "metrics_token"), "\(key)")
      #expect(setting["default"] as? String == "", "\(key)")
    }
    #expect(shown.filter { $0.value["secret"] as? Bool == true }.count == 2)
    #expect(!"\(shown)".contains("geheim"))
  }
}
