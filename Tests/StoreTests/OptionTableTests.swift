// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

struct OptionTableTests {
  @Test func keepsBytesUnderANameUntilRemoved() throws {
    let folder = TemporaryFolder()
    let database = try folder.open()
    let secret = Random.bytes(32)
    #expect(try OptionTable.value("jwt_secret", in: database) == nil)
    try OptionTable.set("jwt_secret", to: "old", in: database)
    try OptionTable.set("jwt_secret", to: secret, in: database)
    try OptionTable.set("empty", to: .empty, in: database)
    try database.close()

    let again = try folder.open()
    #expect(try OptionTable.value("jwt_secret", in: again) == secret)
    #expect(try OptionTable.value("empty", in: again) == .empty)
    #expect(try OptionTable.all(in: again).map(\.name) == ["empty", "jwt_secret"])
    try OptionTable.remove("jwt_secret", in: again)
    try OptionTable.remove("jwt_secret", in: again)
    #expect(try OptionTable.value("jwt_secret", in: again) == nil)
  }
}
