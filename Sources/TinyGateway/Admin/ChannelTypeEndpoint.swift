// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store
import Vendors

/// The list of channel types, from which a page can draw its form.
enum ChannelTypeEndpoint {
  @Sendable static func list(
    _ request: AdminRequest, _ json: inout JSONWriter
  ) throws(AdminError) {
    json.beginObject()
    // A form wants all of them: its page is as long as pages may be.
    try request.writePage(of: VendorRegistry.all, size: Store.Page.sizeLimit, &json) {
      vendor, json in write(vendor, &json)
    }
    json.endObject()
  }

  private static func write(_ vendor: Vendor, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("slug", vendor.slug)
    json.member("name", vendor.name)
    json.member("documentation", vendor.documentation)
    json.member("default_base_url", vendor.defaultBaseURL)
    json.member("key_form", vendor.keyForm)
    json.member("dialect", vendor.dialect.name)
    ChannelEndpoints.write("tasks", vendor.tasks, &json)
    ChannelEndpoints.write("models", vendor.models, &json)
    json.key("fields")
    json.beginArray()
    let key = vendor.isKeyOptional ? "keys" : "!keys" as ByteString
    let isGiven = vendor.defaultBaseURL.utf8CodeUnitCount > 0
    // The form of a key may have the sign that divides a line.
    write(VendorField(key + "|API keys"), example: ByteString(vendor.keyForm), &json)
    write(
      VendorField(
        (isGiven ? "base_url" : "!base_url") + "|Base URL||" + ByteString(vendor.defaultBaseURL)),
      &json)
    for field in vendor.fields { write(field, in: "config.", &json) }
    json.endArray()
    json.endObject()
  }

  private static func write(
    _ field: VendorField, in prefix: ByteString = .empty, example: ByteString? = nil,
    _ json: inout JSONWriter
  ) {
    json.beginObject()
    json.member("name", prefix + field.name)
    json.member("label", field.label)
    json.member("required", field.isRequired)
    json.member("secret", field.isSecret)
    json.member("example", example ?? field.example)
    json.member("default", field.standard)
    ChannelEndpoints.write("choices", field.choices, &json)
    json.endObject()
  }
}
