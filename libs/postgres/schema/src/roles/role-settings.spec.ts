import { describe, expect, it } from '@jest/globals';
import { assignmentOf, parseSetting, splitList } from './role-settings.js';

describe('settings of roles', () => {
  it.each([
    ['work_mem=8MB', `"work_mem" TO '8MB'`],
    ['search_path="$user", "odd, ""schema""", public', `"search_path" TO '$user', 'odd, "schema"', 'public'`],
    ['search_path=""', `"search_path" TO ''`],
    ['app.user=it\'s = "this"', `"app"."user" TO 'it''s = "this"'`],
    ['DateStyle=ISO, DMY', `"datestyle" TO 'ISO, DMY'`],
  ])('%s is written as SET takes it', (setting, written) => {
    expect(assignmentOf(parseSetting(setting))).toBe(written);
  });

  it('an empty list is one empty name', () => {
    expect(splitList('')).toEqual(['']);
  });
});
