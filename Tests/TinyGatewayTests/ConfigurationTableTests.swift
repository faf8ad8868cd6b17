// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import TinyGateway

struct ConfigurationTableTests {
  @Test func everyDefaultSuitsItsRow() {
    for row in ConfigurationTable.rows {
      #expect(row.parse(ByteString(row.fallback)) != nil, "\(row.name)")
      #expect(ConfigurationTable.rows.filter { ByteString($0.name) == row.name }.count == 1)
    }
  }

  @Test func everySettingReachesAField() throws {
    let untouched = Configuration(ConfigurationLayers())
    let free = ["storage_medium", "target", "cpu_flags", "init_system", "log_place", "erase_kb"]
    for row in ConfigurationTable.rows where !free.contains(row.name.description) {
      var changed = untouched
      row.set(&changed, other(than: row.defaultValue, row))
      #expect("\(changed)" != "\(untouched)", "\(row.name) changes nothing")
    }
  }

  private func other(
    than value: ConfigurationValue, _ row: ConfigurationRow
  ) -> ConfigurationValue {
    switch row.kind {
    case .number, .powerOfTwo:
      .number(value.number == row.range.upperBound ? row.range.lowerBound : row.range.upperBound)
    case .choice: .number(value.number == 0 ? 1 : 0)
    case .text, .path: .text("other text")
    case .address: .text("127.0.0.1")
    case .blocks: .blocks([AddressBlock("10.0.0.0/8")].compactMap { $0 })
    case .statuses: .text("418")
    case .zone: .text("Asia/Shanghai")
    }
  }

  @Test func generatedFileWithoutCommentsGivesTheDefaults() throws {
    let fixture = try ConfigurationFixture()
    _ = try fixture.load().get()
    let made = try fixture.directory.read("config.yaml")
    for line in made.split(separator: "\n") { #expect(line.hasPrefix("#"), "\(line)") }
    let uncommented = made.split(separator: "\n").filter { !$0.hasPrefix("# ") }
      .map { $0.dropFirst() }.joined(separator: "\n")
    let expected = ConfigurationTable.rows.filter { $0.scope.contains(.file) }.count
    #expect(uncommented.split(separator: "\n").count == expected)

    let again = try ConfigurationFixture(uncommented)
    let configuration = try again.load().get()
    for (row, setting) in zip(ConfigurationTable.rows, configuration.settings)
    where row.scope.contains(.file) {
      #expect(setting.value == row.defaultValue, "\(row.name)")
      guard case .file = setting.origin.layer else {
        Issue.record("\(row.name) is not in the file")
        continue
      }
    }
  }

  @Test func generatedFileShowsAndKeepsTheDefaultsOfTheBoard() throws {
    let fixture = try ConfigurationFixture(board: "memory_limit_mb: 24\nca_file: ''\n")
    _ = try fixture.load().get()
    let made = try fixture.directory.read("config.yaml")
    #expect(made.contains("\n#memory_limit_mb: 24\n"))
    #expect(try fixture.load().get().memoryLimitMegabytes == 24)
  }

  @Test func summaryMasksSecrets() throws {
    let fixture = try ConfigurationFixture("initial_root_password: geheim123\nport: 1\n")
    let summary = try fixture.load().get().summary.text
    #expect(!summary.contains("geheim"))
    #expect(summary.contains("port: 1  # \(fixture.directory.path)/config.yaml:2\n"))
  }

  @Test func helpNamesEveryOption() {
    let help = Help.text(for: nil).text
    for row in ConfigurationTable.rows where row.scope.contains(.commandLine) {
      let buffer = Buffer()
      row.appendName(for: .commandLine, to: buffer)
      #expect(help.contains("  \(buffer.byteString.text) "))
    }
  }
}
